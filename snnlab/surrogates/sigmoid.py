"""The surrogate gradient that is the derivative of a logistic function."""

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    p = tl.sigmoid(u * numbers[0])
    return 4 * numbers[1] * p * (1 - p)


class Sigmoid(Surrogate):
    """Derivative of a logistic function of slope alpha, the surrogate of Spikformer and TWD.

    gradient(u)  = 4 height p (1 - p), p = 1 / (1 + exp(-alpha u))
    primitive(u) = 4 height / alpha p

    With the default height, alpha / 4, the primitive is p itself and the area is 1 (SpikingJelly's `Sigmoid`,
    whose default is alpha = 4 as well; TWD states the same function and alpha).

    Args:
        alpha: slope of the logistic function; the higher, the narrower.
        height: gradient at the threshold; null: alpha / 4, so that the area is 1.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, alpha: Positive = 4.0, height: Positive | None = None) -> None:
        super().__init__()
        self.alpha = alpha
        self.height = alpha / 4 if height is None else height

    def gradient(self, u: Tensor) -> Tensor:
        p = (u * self.alpha).sigmoid()
        return 4 * self.height * p * (1 - p)

    def kernel_numbers(self) -> tuple[float, ...]:
        return self.alpha, self.height

    def primitive(self, u: Tensor) -> Tensor:
        return 4 * self.height / self.alpha * (u * self.alpha).sigmoid()

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, height={self.height:g}"
