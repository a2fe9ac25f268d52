"""A rectangular surrogate gradient whose width is scaled by a learned factor."""

from typing import Any

import torch
from torch import Tensor, nn

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate, heaviside


class ASGS(Surrogate):
    """Rectangle of learned full width k = width a, a learned factor of the layer, and area 1.

    gradient(u)  = 1 / k if |u| < k / 2 else 0,  k = width exp(w), w learned
    primitive(u) = clamp(u / k + 1/2, 0, 1)

    This is a reading of "adaptive surrogate gradient scaling" (ASG-S; Ai et al. 2025, Knowledge-Based Systems 319,
    113575), with which DS-ATGO compares. Its equations are in a journal without open access, and no code was
    released; its abstract says that a learnable factor scales the width of the rectangle, and that the size of the
    gradient near the threshold follows the gap between potential and spike. Here both come from one rule: the
    backward pass differentiates the smooth step S = primitive(u) with respect to w too,

    dS/dw = -u / k inside of |u| < k / 2, else 0

    so what moves the width is the distance u of the potentials from the threshold. The exponential, which keeps
    the width positive, and the area are choices of this project. All time steps share the factor.

    Args:
        width: full width before training, in units of the membrane potential.
    """

    plain_step = True

    def __init__(self, *, width: Positive = 1.0) -> None:
        super().__init__()
        self.width = width
        self.w = nn.Parameter(torch.zeros(()))

    def current_width(self) -> Tensor:
        """The width k []."""
        return self.width * self.w.exp()

    def quantities(self) -> dict[str, Tensor]:
        return {"width": self.current_width()}

    def forward(self, u: Tensor) -> Tensor:
        return _RectangleSpike.apply(u, self.current_width())  # type: ignore[no-any-return]

    def gradient(self, u: Tensor) -> Tensor:
        return rectangle(u, self.current_width())

    def primitive(self, u: Tensor) -> Tensor:
        return (u / self.current_width() + 0.5).clamp(0, 1)

    def extra_repr(self) -> str:
        return f"width={self.width:g}"


def rectangle(u: Tensor, width: Tensor) -> Tensor:
    """Returns 1 / width where |u| < width / 2, else 0, elementwise."""
    return (1 - heaviside(u.abs() - width.detach() / 2)) / width


class _RectangleSpike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(u, width)
        return heaviside(u)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor | None]:
        u, width = ctx.saved_tensors
        grad_u = grad_outputs[0] * rectangle(u, width)
        if not ctx.needs_input_grad[1]:
            return grad_u, None
        # Outside the slope is 0, and so is dS/dk, however large u is.
        inside = torch.where(grad_u == 0, grad_u, grad_u * u)
        return grad_u, -(inside.to(width.dtype).sum() / width).to(width.dtype)
