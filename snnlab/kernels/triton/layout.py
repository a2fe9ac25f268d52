"""Memory layout of tensors: kernels read any strides, and write without gaps in the axis order of the input.

A step is [...], all axes but the first; T time steps.
"""

from typing import NamedTuple

import torch
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


class Reading(NamedTuple):
    """How kernels read tensors [T, ...].

    Attributes:
        walk: the walk through their steps.
        steps: the stride of each along time.
        copied: the strides of the copy that each needs first; None: it is read as it lies.
    """

    walk: Walk
    steps: tuple[int, ...]
    copied: tuple[list[int] | None, ...]


def reading(x_T: Tensor, *others_T: Tensor) -> Reading:
    """Returns how tensors are read; they are copied if they have too many axes or span too much memory."""
    tensors = (x_T, *others_T)
    way = walk(*tensors)
    copied: tuple[list[int] | None, ...] = (None,) * len(tensors)
    if len(way.sizes) > MAX_RANK or max(map(reach, tensors)) >= 2**31:
        strides = dense_strides(x_T)
        copied = tuple(unless_laid_out(tensor, strides) for tensor in tensors)
        model = torch.empty_strided(x_T.shape, strides, device="meta")
        tensors = (model,) * len(tensors)
        way = walk(*tensors)
    return Reading(way, tuple(tensor.stride(0) for tensor in tensors), copied)


def unless_laid_out(tensor: Tensor, strides: list[int]) -> list[int] | None:
    """Returns the strides; None if the tensor has them already."""
    same = all(n == 1 or a == b for n, a, b in zip(tensor.shape, tensor.stride(), strides, strict=True))
    return None if same else strides


def laid_out(tensor: Tensor, strides: list[int] | None) -> Tensor:
    """Returns a copy with these strides; the tensor itself for None."""
    return tensor if strides is None else tensor.new_empty_strided(tensor.shape, strides).copy_(tensor)


def repeats(tensor: Tensor) -> bool:
    """Returns whether the tensor is one number expanded to all elements."""
    return all(stride == 0 or size == 1 for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def reach(tensor_T: Tensor) -> int:
    """Returns the greatest distance in memory between two elements of a step."""
    return sum((n - 1) * stride for n, stride in zip(tensor_T.shape[1:], tensor_T.stride()[1:], strict=True))
