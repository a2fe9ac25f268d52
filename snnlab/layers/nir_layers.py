"""NIR's nodes without a state as layers that run on each time step, and the shapes of their outputs.

Shape suffixes: T time steps, B samples, `...` any further axes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.layers.time import EachStep

if TYPE_CHECKING:
    import nir

Shape = tuple[int, ...]


class Scale(nn.Module):
    """x times numbers that fit an input without time and batch: [T, B, ...] -> [T, B, ...]."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale)

    def forward(self, x_TB: Tensor) -> Tensor:
        return x_TB * self.scale


class Reshape(nn.Module):
    """The same numbers in another shape: [..., *before] -> [..., *after]."""

    def __init__(self, before: Shape, after: Shape) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(x.dim() - len(self.before)).reshape(
            *x.shape[: x.dim() - len(self.before)], *self.after
        )


class Flatten(nn.Module):
    """All numbers of a sample and a time step in one row: [T, B, ...] -> [T, B, D]."""

    def forward(self, x_TB: Tensor) -> Tensor:
        return x_TB.flatten(2)


def layer_of(name: str, node: "nir.NIRNode", shape: Shape, wanted: int | None) -> tuple[nn.Module, Shape]:
    """Returns the layer of a node, and the shape of its output without time and batch.

    Args:
        name: of the node, for messages.
        node: one without a state.
        shape: of its input, without time and batch.
        wanted: inputs of the linear layer that follows, or None. Some exporters count the batch among the axes that a
            `Flatten` names: where its own meaning does not give the next layer its inputs, all axes are flattened.

    Raises:
        ValueError: there is no layer for this type of node, or the node does not fit its input.
    """
    kind = type(node).__name__
    if kind in ("Linear", "Affine"):
        return _linear(name, node, shape)
    if kind in ("Conv1d", "Conv2d"):
        return _convolution(name, node, shape, 1 if kind == "Conv1d" else 2)
    if kind in ("AvgPool2d", "SumPool2d"):
        return _pool(name, node, shape, kind == "SumPool2d")
    if kind == "Flatten":
        return _flatten(name, node, shape, wanted)
    if kind == "Scale":
        scale = tensor_of(name, "scale", node.scale)
        if scale.dim() and tuple(scale.shape) != tuple(shape):
            raise ValueError(f"{name}: its input is {shown(shape)}, and its scale {shown(scale.shape)}")
        return Scale(scale), shape
    raise ValueError(f"{name}: there is no layer here for a node of type {kind}")


def tensor_of(name: str, what: str, values: Any) -> Tensor:
    """Returns numbers of a node in single precision, on the default device.

    Raises:
        ValueError: some are not finite.
    """
    array = np.asarray(values, dtype=np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: not all numbers of its {what} are finite")
    return torch.tensor(array)


def whole_numbers(value: Any) -> Shape:
    """Returns the whole numbers in an array of any shape.

    Raises:
        ValueError: it holds something else.
    """
    flat = np.asarray(value).reshape(-1)
    if flat.dtype.kind not in "iu" and not (flat.dtype.kind == "f" and (flat == np.floor(flat)).all()):
        raise ValueError(f"whole numbers are expected, not {' '.join(map(str, flat[:4]))}")
    return tuple(map(int, flat))


def shown(shape: Sequence[int]) -> str:
    """Returns a shape in words."""
    return " x ".join(map(str, shape)) or "a number"


def _linear(name: str, node: Any, shape: Shape) -> tuple[nn.Module, Shape]:
    weight = tensor_of(name, "weight", node.weight)
    if weight.dim() != 2 or tuple(shape) != (weight.shape[1],):
        raise ValueError(f"{name}: its input is {shown(shape)}, and its weight {shown(weight.shape)}")
    bias = tensor_of(name, "bias", node.bias) if hasattr(node, "bias") else None
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    return _with(name, layer, weight, bias), (weight.shape[0],)


def _convolution(name: str, node: Any, shape: Shape, axes: int) -> tuple[nn.Module, Shape]:
    weight, bias = tensor_of(name, "weight", node.weight), tensor_of(name, "bias", node.bias)
    (groups,) = _numbers(name, "groups", node.groups, 1, least=1)
    if weight.dim() != axes + 2 or len(shape) != axes + 1 or shape[0] != weight.shape[1] * groups:
        raise ValueError(
            f"{name}: its input is {shown(shape)}, and its weight {shown(weight.shape)} in {groups} groups"
        )
    kind = nn.Conv1d if axes == 1 else nn.Conv2d
    kernel = tuple(weight.shape[2:])
    stride, dilation = (
        _numbers(name, what, getattr(node, what), axes, least=1) for what in ("stride", "dilation")
    )
    padding: str | Shape = node.padding
    if not isinstance(padding, str):
        padding = _numbers(name, "padding", padding, axes, least=0)
    layer: Any = kind(
        shape[0],
        len(weight),
        kernel,  # type: ignore[arg-type]  # as many numbers as axes
        stride,  # type: ignore[arg-type]
        padding,  # type: ignore[arg-type]
        dilation,  # type: ignore[arg-type]
        groups,
        device="meta",
    )
    spread = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    if isinstance(padding, str):
        sizes = shape[1:] if padding == "same" else _sizes(shape[1:], spread, stride, (0,) * axes)
    else:
        sizes = _sizes(shape[1:], spread, stride, padding)
    return EachStep(_with(name, layer, weight, bias)), _positive(name, (len(weight), *sizes))


def _pool(name: str, node: Any, shape: Shape, adds: bool) -> tuple[nn.Module, Shape]:
    if len(shape) != 3:
        raise ValueError(f"{name}: its input is {shown(shape)}, and a pool takes channels, height and width")
    kernel, stride = (
        _numbers(name, what, getattr(node, what), 2, least=1) for what in ("kernel_size", "stride")
    )
    padding = _numbers(name, "padding", node.padding, 2, least=0)
    if any(2 * pad > size for pad, size in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"{name}: its padding {shown(padding)} is more than half of its kernel {shown(kernel)}"
        )
    pool = nn.AvgPool2d(kernel, stride, padding, divisor_override=1 if adds else None)  # type: ignore[arg-type]
    return EachStep(pool), _positive(name, (shape[0], *_sizes(shape[1:], kernel, stride, padding)))


def _flatten(name: str, node: Any, shape: Shape, wanted: int | None) -> tuple[nn.Module, Shape]:
    first, last = (
        _numbers(name, what, getattr(node, what), 1)[0] % max(len(shape), 1)
        for what in ("start_dim", "end_dim")
    )
    whole = int(np.prod(shape))
    after = (*shape[:first], int(np.prod(shape[first : last + 1])), *shape[last + 1 :])
    if after != (whole,) and wanted == whole != after[-1]:
        after = (whole,)
    if first > last and after != (whole,):
        raise ValueError(f"{name}: flattens from axis {first} to {last}")
    return Flatten() if after == (whole,) else Reshape(shape, after), after


def _with(name: str, layer: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    if bias is not None and tuple(bias.shape) != (len(weight),):
        raise ValueError(f"{name}: {len(weight)} outputs, and a bias of {shown(bias.shape)}")
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def _numbers(name: str, what: str, value: Any, axes: int, least: int | None = None) -> tuple[int, ...]:
    """As many whole numbers as axes; a single one stands for all."""
    found = whole_numbers(value)
    found = found * axes if len(found) == 1 else found
    if len(found) != axes or (least is not None and min(found) < least):
        bound = "" if least is None else f" from {least} on"
        raise ValueError(
            f"{name}: its {what} is {shown(found)}, and {axes} whole numbers{bound} are expected"
        )
    return found


def _sizes(shape: Shape, kernel: Shape, stride: Shape, padding: Shape) -> Shape:
    four = zip(shape, kernel, stride, padding, strict=True)
    return tuple((size + 2 * pad - k) // step + 1 for size, k, step, pad in four)


def _positive(name: str, shape: Shape) -> Shape:
    if min(shape) < 1:
        raise ValueError(f"{name}: its input is too small for it: the output would be {shown(shape)}")
    return shape
