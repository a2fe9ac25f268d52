"""The triangular surrogate gradient of TET and TMC."""

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    return tl.maximum(numbers[1] - tl.abs(u) * numbers[0], 0.0)


class Triangle(Surrogate):
    """Triangle of half width gamma, the surrogate of TET and TMC.

    gradient(u)  = height max(0, 1 - |u| / gamma)
    primitive(u) = height gamma (1/2 + z - z |z| / 2), z = clamp(u / gamma, -1, 1)

    With the default height this is max(0, gamma - |u|) / gamma^2, whose area is 1 (Deng et al. 2022,
    "Temporal efficient training", released code). It is also the piecewise linear gradient max(0, alpha (1 -
    alpha |u|)) of the circulate-firing paper (Eq. 8), with alpha = 1 / gamma.

    Args:
        gamma: half of the base's width, in units of the membrane potential. As in TET and TMC, 1.
        height: gradient at the threshold; null: 1 / gamma, so that the area is 1.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, gamma: Positive = 1.0, height: Positive | None = None) -> None:
        super().__init__()
        self.gamma = gamma
        self.height = 1 / gamma if height is None else height

    def gradient(self, u: Tensor) -> Tensor:
        return u.abs().mul(-self.height / self.gamma).add(self.height).clamp(min=0)

    def kernel_numbers(self) -> tuple[float, ...]:
        return self.height / self.gamma, self.height

    def primitive(self, u: Tensor) -> Tensor:
        z = (u / self.gamma).clamp(-1, 1)
        return self.height * self.gamma * (0.5 + z - z * z.abs() / 2)

    def extra_repr(self) -> str:
        return f"gamma={self.gamma:g}, height={self.height:g}"
