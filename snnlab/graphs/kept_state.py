"""Runs work whose traces are removed: buffers, random generators and counts are afterwards what they were."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from snnlab.kernels import counts
from snnlab.runs.checkpoint import random_state, set_random_state


@contextmanager
def traceless(*modules: nn.Module) -> Iterator[None]:
    """Restores after the `with` block what a forward and a backward pass change, gradients excepted.

    Those are the buffers of the modules (running statistics, numbers of batches, adaptive thresholds), all random
    generators, and the counts of the neurons' back ends. Buffers are written in place and keep their memory.

    Args:
        modules: network, loss and regularisers.
    """
    # Not those of the state dict, which leaves some out.
    buffers = [(one, one.clone()) for module in modules for one in module.buffers()]
    random, ran = random_state(), Counter(counts())
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        set_random_state(random)
        counts().clear()
        counts().update(ran)
