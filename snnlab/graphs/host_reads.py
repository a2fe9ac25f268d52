"""Finds what a CUDA graph cannot hold before it is recorded, and names the line that does it."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_INDEXING = (torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_)
_MASKS = (torch.bool, torch.uint8)
_READS = "reads a value of the device on the host"
_SHAPES = "has a shape that depends on values"
_COPIES = "copies numbers of the host to the device"
_OF_TORCH = Path(torch.__file__).parent


class HostReadError(RuntimeError):
    """Work does what a CUDA graph cannot hold."""


class NoHostReads(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """A `with` block in which such work raises, in its backward pass too.

    A failed recording would say less, and only in terms of CUDA; a copy from the host would be recorded with an
    address that is free by the time of the replay.

    Args:
        device: the device of the work; what is done with tensors elsewhere does not matter.
        raises: false: the work goes on, and what it does is in `faults`.

    Attributes:
        faults: what would have been raised, as text.

    Raises:
        HostReadError: with the line of Python that does it, and the operator.
    """

    def __init__(self, device: torch.device, *, raises: bool = True) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in torch
        self._type, self._raises = device.type, raises
        self.faults: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if (fault := self._fault(func, args, kwargs)) is not None:
            self.faults.append(f"{_caller()} {fault} ({func})")
            if self._raises:
                raise HostReadError(self.faults[-1])
        return func(*args, **kwargs)

    def _fault(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
        here = [one.device.type == self._type for one in args if isinstance(one, Tensor)]
        if func.overloadpacket is torch.ops.aten.copy_:
            return None if len(set(here)) == 1 else _COPIES if here[0] else _READS
        if func.overloadpacket is torch.ops.aten._to_copy and kwargs.get("device") is not None:
            to = torch.device(kwargs["device"]).type == self._type
            return None if to == here[0] else _COPIES if to else _READS
        if not any(here):
            return None
        if func.overloadpacket is torch.ops.aten.lift_fresh:
            return _COPIES
        if torch.Tag.data_dependent_output in func.tags:
            return _READS
        if func.overloadpacket in _INDEXING:
            masked = any(one is not None and one.dtype in _MASKS for one in args[1])
            return _SHAPES if masked else None
        return _SHAPES if torch.Tag.dynamic_output_shape in func.tags else None


def _caller() -> str:
    """The innermost line of Python that is neither PyTorch's nor this file's, with its folder."""
    for frame in reversed(traceback.extract_stack()):
        file = Path(frame.filename)
        if _OF_TORCH not in file.parents and file != Path(__file__):
            return f"{file.parent.name}/{file.name}:{frame.lineno}"
    return "PyTorch"
