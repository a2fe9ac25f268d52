"""A small NIR graph for tests that build every network."""

import functools
import tempfile
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np

_FOLDER = tempfile.TemporaryDirectory()


@functools.cache
def small_graph(in_channels, num_classes, size):
    """Convolution, LIF, pool, linear layer, LIF and linear layer, for square images."""
    random = np.random.default_rng(0)

    def weight(*shape):
        return (random.normal(size=shape) * 1.5 / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    def lif(*shape):
        full = np.ones(shape, np.float32)
        return nir.LIF(tau=2e-4 * full, r=2 * full, v_leak=0 * full, v_threshold=0.1 * full)

    wide = 4 * (size // 2) ** 2
    zeros = np.zeros(2, int)
    nodes = {
        "input": nir.Input({"input": np.array([in_channels, size, size])}),
        "conv": nir.Conv2d((size, size), weight(4, in_channels, 3, 3), 1, 1, 1, 1, np.zeros(4, np.float32)),
        "spikes": lif(4, size, size),
        "pool": nir.AvgPool2d(zeros + 2, zeros + 2, zeros),
        "row": nir.Flatten({"input": np.array([4, size // 2, size // 2])}, start_dim=0),
        "hidden": nir.Affine(weight(16, wide), np.zeros(16, np.float32)),
        "more": lif(16),
        "head": nir.Affine(weight(num_classes, 16), np.zeros(num_classes, np.float32)),
        "output": nir.Output({"output": np.array([num_classes])}),
    }
    names = list(nodes)
    file = Path(_FOLDER.name) / f"{in_channels}-{num_classes}-{size}.nir"
    nir.write(file, nir.NIRGraph(nodes, list(pairwise(names)), type_check=False))
    return file
