"""Launches a kernel many times with all arguments fixed but its tensors, without Triton's own work at each launch.

Triton compiles a kernel anew for other types of its arguments, for integers that are 1 or divisible by 16, and for
addresses that are divisible by 16; before each launch it finds out which of these kernels it needs. Here numbers are
fixed, so types and addresses of tensors are all that is left to look at.

Compiling one takes a few tenths of a second, so those of a layer are compiled beside each other before its first call.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from triton import AsyncCompileMode
from triton.runtime.driver import driver

from snnlab.triton_language import INTERPRETED

_OPTIONS = {"num_warps": 4, "enable_fp_fusion": False}

_address = Tensor.data_ptr
_dtype: Any = Tensor.dtype.__get__  # type: ignore[attr-defined]

_THREADS = 8  # a normalisation and a neuron have six kernels forwards and backwards
_only_compiles: ContextVar[bool] = ContextVar("snnlab_only_compiles", default=False)


@contextmanager
def compiled_together() -> Iterator[None]:
    """Compiles the kernels of launches in the `with` block that are new, in threads, in place of launching them.

    What they would have written stays as it was allocated, so results of the block are of no use. All kernels are
    compiled when the block ends.
    """
    token = _only_compiles.set(True)
    try:
        with ThreadPoolExecutor(_THREADS) as threads, ExitStack() as stack:
            with suppress(RuntimeError):  # a caller has such a mode already, and gets the kernels in it
                stack.enter_context(AsyncCompileMode(threads))
            yield
    finally:
        _only_compiles.reset(token)


class Launch:
    """A kernel with its grid, numbers and constants; a call gives the tensors, all of one device.

    Args:
        kernel: a function marked with `triton.jit`, with tensors first, numbers next (before them a time step, if
            it takes one), constants last.
        grid: numbers of programs.
        numbers: the arguments after the tensors, in order.
        constants: the compile-time constants by name, in any order.
        device: index of the CUDA device of the tensors.
        options: of the compiler, where they differ from those of all kernels.

    Attributes:
        name: name of the kernel.
    """

    def __init__(
        self,
        kernel: Any,
        grid: tuple[int, ...],
        numbers: tuple[float, ...],
        constants: Mapping[str, Any],
        device: int,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name = kernel.__name__
        names = [name for name in kernel.arg_names if name in constants]
        assert len(names) == len(constants)
        self._first = kernel[grid]
        self._compile = kernel.warmup
        self._grid = (*grid, 1, 1)[:3]
        self._numbers = numbers
        self._constants = {**constants, **_OPTIONS, **options}
        self._after_tensors = (*numbers, *(constants[name] for name in names))
        self._device = device
        self._compiled: dict[object, Callable[..., None]] = {}

    def __call__(self, *tensors: Tensor, step: int | None = None) -> None:
        """Launches the kernel; it must not be specialised to the `step`."""
        steps = () if step is None else (step,)
        if INTERPRETED:
            self._first(*tensors, *steps, *self._numbers, **self._constants)
            return
        active = driver.active
        current = active.get_current_device()
        if current != self._device:
            with torch.cuda.device(self._device):
                self(*tensors, step=step)
            return
        addresses = [*map(_address, tensors)]
        bits = 0
        for address in addresses:
            bits |= address
        # The usual case, all addresses divisible by 16, needs no look at each.
        aligned = None if not bits & 15 else tuple([address & 15 == 0 for address in addresses])
        key = (aligned, *map(_dtype, tensors))
        compiled = self._compiled.get(key)
        if compiled is not None:
            compiled(*addresses, *steps, *self._after_tensors, stream=active.get_current_stream(current))
        elif _only_compiles.get():
            self._compile(*tensors, *steps, *self._numbers, grid=self._grid, **self._constants)
        elif (kernel := self._first(*tensors, *steps, *self._numbers, **self._constants)) is not None:
            self._compiled[key] = kernel[self._grid]
