"""The triangular surrogate gradient whose height is learned for each time step."""

from typing import Any

import torch
from torch import Tensor, nn

from snnlab.ranges import NonNegative, Positive
from snnlab.surrogates.base import Surrogate, heaviside
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    return tl.maximum(1 - a * tl.abs(u), 0.0) * a


@jit
def _learning_in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    return tl.maximum(1 - a * tl.abs(u), 0.0) * u


class TSG(Surrogate):
    """Time-step-wise learnable surrogate gradient: a triangle of learned height and area 1.

    gradient(u)  = max(0, alpha_t (1 - alpha_t |u|)),  alpha_t = s sigmoid(x_t) + b
    primitive(u) = 1/2 + z - z |z| / 2, z = clamp(alpha_t u, -1, 1)

    with x_t learned, one for each time step of the layer (circulate-firing paper, Eq. 15 to 17). A neuron with
    several levels calls it once for each, with u the distance from that level, and its output is the sum of that
    many step functions, so the triangles add up. With one time step it is an ordinary learned surrogate.

    The paper does not say how alpha is learned; there alpha occurs in the backward pass only. Here the spike is a
    straight-through estimate: the forward pass computes the step H(u), the backward pass differentiates the smooth
    step S(u; alpha) = primitive(u), whose derivative is the triangle, with respect to both arguments,

    dS/du = gradient(u),   dS/dalpha = dS/dz dz/dalpha = (1 - |z|) u inside |z| < 1, else 0
                                     = u gradient(u) / alpha,   dalpha/dx = s sigmoid(x) (1 - sigmoid(x)).

    S is 0 far below the threshold and 1 far above it whatever alpha is, so potentials far from the threshold add
    nothing to the gradient of alpha, and S tends to H with growing alpha.

    `forward`, `gradient` and `primitive` of the module itself are those of the first step; `at` returns the others.

    Args:
        num_steps: number of time steps with an alpha; fewer may be run, more may not.
        s: range of the height: alpha_t = s sigmoid(x_t) + b. The paper gives no number; s = 2, b = 1 allow for 1 to 3,
            where the paper's Table I has its good fixed heights (1 and 2; 0.5 and 5 are poor).
        b: least height.
        x: initial value of every x_t. At 0 the initial height is s / 2 + b = 2, the best fixed height there.
    """

    kernel_gradient = _in_kernel
    kernel_learning = _learning_in_kernel

    plain_step = True

    def __init__(
        self, num_steps: int = 1, *, s: Positive = 2.0, b: NonNegative = 1.0, x: float = 0.0
    ) -> None:
        super().__init__()
        self.num_steps = num_steps
        self.s = s
        self.b = b
        self.x = nn.Parameter(torch.full((num_steps,), x))

    def alpha(self) -> Tensor:
        """The height at each time step [T]."""
        return self.s * self.x.sigmoid() + self.b

    def kernel_learned(self) -> Tensor:
        return self.alpha()

    def quantities(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha()}

    def at(self, t: int, threshold: float) -> Surrogate:
        return _LearnedTriangle(self.s * self.x[t].sigmoid() + self.b)

    def forward(self, u: Tensor) -> Tensor:
        return self.at(0, 1.0).forward(u)

    def gradient(self, u: Tensor) -> Tensor:
        return self.at(0, 1.0).gradient(u)

    def primitive(self, u: Tensor) -> Tensor:
        return self.at(0, 1.0).primitive(u)

    def extra_repr(self) -> str:
        return f"num_steps={self.num_steps}, s={self.s:g}, b={self.b:g}"


class _LearnedTriangle(Surrogate):
    """The triangle of one step, of height alpha [] with a gradient."""

    def __init__(self, alpha: Tensor) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, u: Tensor) -> Tensor:
        return _TriangleSpike.apply(u, self.alpha)  # type: ignore[no-any-return]

    def gradient(self, u: Tensor) -> Tensor:
        return triangle(u, self.alpha)

    def primitive(self, u: Tensor) -> Tensor:
        z = (u * self.alpha).clamp(-1, 1)
        return 0.5 + z - z * z.abs() / 2


def triangle(u: Tensor, alpha: Tensor) -> Tensor:
    """Returns max(0, alpha (1 - alpha |u|)), elementwise."""
    return (u.abs() * -alpha + 1).clamp(min=0) * alpha


class _TriangleSpike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, alpha: Tensor) -> Tensor:
        ctx.save_for_backward(u, alpha)
        return heaviside(u)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor | None]:
        u, alpha = ctx.saved_tensors
        grad_u = grad_outputs[0] * triangle(u, alpha)
        if not ctx.needs_input_grad[1]:
            return grad_u, None
        # Where the slope is 0, so is dS/dalpha, however large u is.
        inside = torch.where(grad_u == 0, grad_u, grad_u * u)
        return grad_u, (inside.to(alpha.dtype).sum() / alpha).to(alpha.dtype)
