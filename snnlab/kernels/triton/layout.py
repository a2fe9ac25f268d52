"""Memory layout of tensors: kernels read any strides, and write without gaps in the axis order of the input.

A step is [...], all axes but the first; T time steps.
"""

from typing import NamedTuple

from torch import Tensor

MAX_RANK = 4


class Walk(NamedTuple):
    """The axes of a step in the memory order of the input.

    Attributes:
        sizes: sizes of the axes, fastest first; neighbouring axes that are contiguous in every tensor are merged.
        strides: strides of each tensor along these axes.
    """

    sizes: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]

    def inner_sizes(self) -> tuple[int, ...]:
        """Returns all sizes but the last, padded to three."""
        return (*self.sizes[:-1], 1, 1, 1)[:3]

    def strides_of(self, tensor: int) -> tuple[int, ...]:
        """Returns the strides of a tensor, padded to four."""
        return (*self.strides[tensor], 0, 0, 0)[:4]


def dense_strides(x_T: Tensor) -> list[int]:
    """Returns the strides of a tensor like x_T [T, ...] without gaps: time slowest, the other axes in x_T's order."""
    return [x_T[0].numel(), *step_strides(x_T)]


def step_strides(x_T: Tensor) -> list[int]:
    """Returns the strides of a tensor like one step of x_T [T, ...] without gaps, with its axes in x_T's order."""
    strides = [0] * (x_T.ndim - 1)
    length = 1
    for axis in reversed(order(x_T)):
        strides[axis - 1] = length
        length *= x_T.shape[axis]
    return strides


def channel_strides(x_T: Tensor) -> tuple[int, int]:
    """Returns the stride of the channel axis in a step with `step_strides`, and the number of channels."""
    return step_strides(x_T)[1], x_T.shape[2]


def order(x_T: Tensor) -> list[int]:
    """Returns the axes of a step, slowest first."""
    axes = list(range(1, x_T.ndim))
    if any(x_T.stride(axis) == 0 and x_T.shape[axis] > 1 for axis in axes):
        return axes  # expanded along an axis: strides do not define an order
    return sorted(axes, key=x_T.stride, reverse=True)


def walk(x_T: Tensor, *others_T: Tensor) -> Walk:
    """Returns the `Walk` through the steps of x_T [T, ...] and of further tensors of its shape."""
    tensors = (x_T, *others_T)
    sizes: list[int] = []
    strides: list[list[int]] = []  # for each axis, the stride of each tensor
    for axis in reversed(order(x_T)):
        size, steps = x_T.shape[axis], [tensor.stride(axis) for tensor in tensors]
        if size == 1:
            continue
        if sizes and all(b == a * sizes[-1] for a, b in zip(strides[-1], steps, strict=True)):
            sizes[-1] *= size
        else:
            sizes.append(size)
            strides.append(steps)
    if not sizes:
        sizes, strides = [1], [[1] * len(tensors)]
    return Walk(tuple(sizes), tuple(zip(*strides, strict=True)))


def in_order(tensor_T: Tensor, x_T: Tensor) -> Tensor:
    """Returns a tensor without gaps in x_T's order of axes; copies it only if its layout differs."""
    return _laid_out(tensor_T, dense_strides(x_T))


def step_in_order(tensor: Tensor, x_T: Tensor) -> Tensor:
    """Does what `in_order` does for a tensor like one step of x_T."""
    return _laid_out(tensor, step_strides(x_T))


def repeats(tensor: Tensor) -> bool:
    """Returns whether the tensor is one number expanded to all elements."""
    return all(stride == 0 or size == 1 for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def reach(tensor_T: Tensor) -> int:
    """Returns the greatest distance in memory between two elements of a step."""
    return sum((n - 1) * stride for n, stride in zip(tensor_T.shape[1:], tensor_T.stride()[1:], strict=True))


def _laid_out(tensor: Tensor, strides: list[int]) -> Tensor:
    same = all(n == 1 or a == b for n, a, b in zip(tensor.shape, tensor.stride(), strides, strict=True))
    return tensor if same else tensor.new_empty_strided(tensor.shape, strides).copy_(tensor)
