"""Tensors that stay where they are, laid out like those that are copied into them."""

import torch
from torch import Tensor

Layout = tuple[object, ...]


def layout(x: Tensor | None) -> Layout:
    """Shape, strides and dtype: what has to be equal for one graph to serve two tensors."""
    return () if x is None else (x.shape, x.stride(), x.dtype)


def empty(like: Tensor) -> Tensor:
    """Memory laid out like a tensor, repeated where it repeats itself, as a still image does over time."""
    return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, device=like.device)


def copy_in(to: Tensor, source: Tensor) -> None:
    """Copies a tensor into memory of the same layout, each number once; the host does not wait."""
    _distinct(to).copy_(_distinct(source), non_blocking=True)


def _distinct(x: Tensor) -> Tensor:
    """The part of a tensor that holds each number in memory once."""
    for axis, step in enumerate(x.stride()):
        if step == 0 and x.shape[axis] > 1:
            x = x.narrow(axis, 0, 1)
    return x
