"""Builds kernels while something else goes on, from the calls of a network that has run without numbers.

A build is a process of the C++ compiler, so a thread that waits for it takes nothing from this one. What a build leaves
is a file, which the first call of the kernel loads, or waits for; a build that fails is tried again there and says why.
"""

import copy
import ctypes
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from snnlab.kernels.choose import Noted
from snnlab.system import cores

MOST_THREADS = 4


def build_ahead(
    noted: Sequence[Noted], *, fuse: bool, times: float = 1.0, dtype: torch.dtype | None = None
) -> list[Future[ctypes.CDLL]]:
    """Begins to build the C++ kernels of calls, and returns at once.

    Args:
        noted: calls of a network, as `backend("eager", noted=...)` keeps them.
        fuse: a normalisation and the neuron behind it will run as one operation where that can be.
        times: how many times as large the inputs will be.
        dtype: of the inputs; None: as noted.

    Returns:
        A build for each kernel. Its exception says nothing that the first call will not.
    """
    # Where they are needed: most processes build nothing.
    from snnlab.kernels.cpu import backend as cpu
    from snnlab.kernels.cpu.compiler import library

    whole = {id(one.call.plans) for one in noted if one.fused}
    sources: dict[Hashable, str] = {}
    for one in noted:
        # A neuron behind a normalisation has been noted twice: with it, and by itself.
        if one.fused != (fuse and id(one.call.plans) in whole):
            continue
        call = one.call if dtype is None else one.call._replace(x_T=one.call.x_T.to(dtype))
        if not call.surrogate.plain_step or cpu.refusal_anywhere(call) is not None:
            continue
        if times * call.x_T.numel() < cpu.LEAST_ELEMENTS:
            continue
        variant = {"affine": one.fused, "residual": one.residual, "stepped": one.stepped}
        key = cpu.key_of(call, **variant)
        if key is None or key in sources:
            continue
        try:
            # What a surrogate learns has no place in memory on torch's meta device.
            surrogate = copy.deepcopy(call.surrogate).to_empty(device="cpu")
            sources[key] = cpu.source_of_call(call._replace(surrogate=surrogate), **variant)
        except Exception:  # whatever it is, the first call finds it too, and says so
            continue
    if not sources:
        return []
    threads = ThreadPoolExecutor(min(MOST_THREADS, cores(), len(sources)), "build")
    builds = [threads.submit(library, source) for source in sources.values()]
    threads.shutdown(wait=False)
    return builds
