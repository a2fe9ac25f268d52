"""NIR graphs of few nodes, written to files, and frames for the networks that are made of them."""

import functools
import tempfile
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import torch

_FOLDER = tempfile.TemporaryDirectory()
STEPS, BATCH, CLASSES, SIZE = 8, 3, 5, 8


def frames(seed=0, size=SIZE):
    return torch.rand(STEPS, BATCH, 2, size, size, generator=torch.Generator().manual_seed(seed))


def graph_file(tmp_path, nodes, edges=None, **about):
    names = list(nodes)
    edges = list(pairwise(names)) if edges is None else edges
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, edges, type_check=False, **about))
    return tmp_path / "net.nir"


def ends(taken, given):
    return {"in": nir.Input({"input": np.array(taken)})}, {"out": nir.Output({"output": np.array(given)})}


def linear(outputs, inputs, seed=0, size=1.0):
    random = np.random.default_rng(seed)
    return nir.Linear((size * random.normal(size=(outputs, inputs))).astype(np.float32))


def lif(size, tau=2e-4, threshold=1.0):
    full = np.ones(size, np.float32)
    return nir.LIF(tau=tau * full, r=tau / 1e-4 * full, v_leak=0 * full, v_threshold=threshold * full)


@functools.cache
def small_graph(in_channels, num_classes, size):
    """Convolution, LIF, pool, linear layer, LIF and linear layer, for square images."""
    random = np.random.default_rng(0)

    def weight(*shape):
        return (random.normal(size=shape) * 1.5 / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    wide = 4 * (size // 2) ** 2
    zeros = np.zeros(2, int)
    nodes = {
        "input": nir.Input({"input": np.array([in_channels, size, size])}),
        "conv": nir.Conv2d((size, size), weight(4, in_channels, 3, 3), 1, 1, 1, 1, np.zeros(4, np.float32)),
        "spikes": lif((4, size, size), threshold=0.1),
        "pool": nir.AvgPool2d(zeros + 2, zeros + 2, zeros),
        "row": nir.Flatten({"input": np.array([4, size // 2, size // 2])}, start_dim=0),
        "hidden": nir.Affine(weight(16, wide), np.zeros(16, np.float32)),
        "more": lif(16, threshold=0.1),
        "head": nir.Affine(weight(num_classes, 16), np.zeros(num_classes, np.float32)),
        "output": nir.Output({"output": np.array([num_classes])}),
    }
    names = list(nodes)
    file = Path(_FOLDER.name) / f"{in_channels}-{num_classes}-{size}.nir"
    nir.write(file, nir.NIRGraph(nodes, list(pairwise(names)), type_check=False))
    return file
