"""The surrogate gradient that is the derivative of an arc tangent."""

from math import pi

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    z = u * numbers[0]
    return numbers[1] / (1 + z * z)


class ATan(Surrogate):
    """Derivative of an arc tangent of slope alpha, the surrogate of PLIF and SEW-ResNet.

    gradient(u)  = height / (1 + z^2), z = pi / 2 alpha u
    primitive(u) = 2 height / alpha (arctan(z) / pi + 1/2)

    With the default height, alpha / 2, the area is 1 (Fang et al. 2021, "Incorporating learnable membrane
    time constant"; SpikingJelly's `ATan`, with the same default alpha = 2).

    Args:
        alpha: slope of the arc tangent; the higher, the narrower.
        height: gradient at the threshold; null: alpha / 2, so that the area is 1.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, alpha: Positive = 2.0, height: Positive | None = None) -> None:
        super().__init__()
        self.alpha = alpha
        self.height = alpha / 2 if height is None else height

    def gradient(self, u: Tensor) -> Tensor:
        z = u * (pi / 2 * self.alpha)
        return self.height / (1 + z * z)

    def kernel_numbers(self) -> tuple[float, ...]:
        return pi / 2 * self.alpha, self.height

    def primitive(self, u: Tensor) -> Tensor:
        z = u * (pi / 2 * self.alpha)
        return 2 * self.height / self.alpha * (z.arctan() / pi + 0.5)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, height={self.height:g}"
