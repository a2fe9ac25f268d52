"""Where the elements of a tensor lie: kernels read any strides, and write without gaps in the order of the input.

A step is [...], everything but the first axis; T time steps.
"""

from typing import NamedTuple

from torch import Tensor

MAX_RANK = 4


class Walk(NamedTuple):
    """How to visit all elements of a step in the order of the input's memory.

    Attributes:
        sizes: sizes of the axes, fastest first; neighbouring axes that every tensor runs through alike are one.
        strides: for each tensor its strides along them.
    """

    sizes: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]

    def inner_sizes(self) -> tuple[int, ...]:
        """All sizes but the last, filled up to three."""
        return (*self.sizes[:-1], 1, 1, 1)[:3]

    def strides_of(self, tensor: int) -> tuple[int, ...]:
        """Filled up to four."""
        return (*self.strides[tensor], 0, 0, 0)[:4]


def dense_strides(x_T: Tensor) -> list[int]:
    """Strides for a tensor like x_T [T, ...] without gaps: steps one after the other, axes in x_T's order."""
    return [x_T[0].numel(), *step_strides(x_T)]


def step_strides(x_T: Tensor) -> list[int]:
    """Strides for a tensor like one step of x_T [T, ...] without gaps, with its axes in the same order."""
    strides = [0] * (x_T.ndim - 1)
    length = 1
    for axis in reversed(order(x_T)):
        strides[axis - 1] = length
        length *= x_T.shape[axis]
    return strides


def channel_strides(x_T: Tensor) -> tuple[int, int]:
    """In a step like that: how many elements lie between two channels, and how many channels there are."""
    return step_strides(x_T)[1], x_T.shape[2]


def order(x_T: Tensor) -> list[int]:
    """The axes of a step, slowest first."""
    axes = list(range(1, x_T.ndim))
    if any(x_T.stride(axis) == 0 and x_T.shape[axis] > 1 for axis in axes):
        return axes  # repeated along an axis: there is no order to follow
    return sorted(axes, key=x_T.stride, reverse=True)


def walk(x_T: Tensor, *others_T: Tensor) -> Walk:
    """The way through the steps of x_T [T, ...] and of tensors of the same shape."""
    tensors = (x_T, *others_T)
    sizes: list[int] = []
    strides: list[list[int]] = []  # for each axis that of each tensor
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
    """The same without gaps and with x_T's order of axes; itself if it is so already."""
    return _laid_out(tensor_T, dense_strides(x_T))


def step_in_order(tensor: Tensor, x_T: Tensor) -> Tensor:
    """The same for a tensor like one step of x_T."""
    return _laid_out(tensor, step_strides(x_T))


def repeats(tensor: Tensor) -> bool:
    """Whether one number in memory stands for all elements."""
    return all(stride == 0 or size == 1 for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def reach(tensor_T: Tensor) -> int:
    """Greatest distance in memory between two elements of a step."""
    return sum((n - 1) * stride for n, stride in zip(tensor_T.shape[1:], tensor_T.stride()[1:], strict=True))


def _laid_out(tensor: Tensor, strides: list[int]) -> Tensor:
    same = all(n == 1 or a == b for n, a, b in zip(tensor.shape, tensor.stride(), strides, strict=True))
    return tensor if same else tensor.new_empty_strided(tensor.shape, strides).copy_(tensor)
