"""The arguments of the C++ functions: sizes and addresses. Shape suffixes: T time steps, `...` any further axes."""

import ctypes
from typing import Any

import torch
from torch import Tensor


class Arguments(ctypes.Structure):
    """The struct of the same name in the C++ source."""

    _fields_ = (
        *(
            (name, ctypes.c_int64)
            for name in ("N", "start", "threads", "inner", "channels", "v_step", "x_step")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in ("x", "residual", "scale", "shift", "v0", "numbers", "parameters", "threshold_width")
        ),
    )


class Pointers:
    """The addresses of a call's tensors; it holds references to the tensors."""

    def __init__(
        self,
        x_T: Tensor,
        v: Tensor,
        start: int,
        parameters: list[Tensor],
        numbers: Tensor | None,
        *,
        channels: int = 1,
        inner: int = 1,
        residual: Tensor | None = None,
        scale: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> None:
        of_parameters = [parameter.detach().to(v.dtype).contiguous() for parameter in parameters]
        array = (ctypes.c_void_p * max(1, len(parameters)))(*map(Tensor.data_ptr, of_parameters))
        self._alive = (x_T, v, of_parameters, array, numbers, residual, scale, shift)
        count = x_T.shape[1:].numel()
        self.args = Arguments(
            count,
            start,
            torch.get_num_threads(),
            inner,
            channels,
            0 if repeats(v) else 1,
            0 if x_T.stride(0) == 0 else count,
            x_T.data_ptr(),
            None if residual is None else residual.data_ptr(),
            None if scale is None else scale.data_ptr(),
            None if shift is None else shift.data_ptr(),
            v.data_ptr(),
            None if numbers is None else numbers.data_ptr(),
            ctypes.addressof(array),
        )

    @property
    def reference(self) -> Any:
        return ctypes.byref(self.args)

    def set_threshold_width(self, threshold_width_T: Tensor | None) -> None:
        """Sets threshold and width of each step [2, T]."""
        self._threshold_width_T = threshold_width_T
        self.args.threshold_width = None if threshold_width_T is None else threshold_width_T.data_ptr()


def repeats(v: Tensor) -> bool:
    """Returns whether v [...] is one number expanded to all elements."""
    return v.numel() > 1 and not any(v.stride())


def address(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())
