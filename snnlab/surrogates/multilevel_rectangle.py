"""The rectangular surrogate gradient over all levels of a circulate-firing neuron."""

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate, heaviside
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    return tl.where((u >= -numbers[0]) & (u < numbers[0]), numbers[1], 0.0)


class MultilevelRectangle(Surrogate):
    """Rectangle as wide as the distance of the levels, so that the levels of a neuron tile one long rectangle.

    gradient(u)  = alpha if -threshold / 2 <= u < threshold / 2 else 0
    primitive(u) = alpha clamp(u + threshold / 2, 0, threshold)

    For a neuron with K levels at k threshold, k = 1..K, the gradients of the levels add up to

    h(v) = alpha if |v - (K + 1) / 2 threshold| < K / 2 threshold else 0

    which is the circulate-firing paper's Eq. 14, the same support as LM-HT's surrogate. For negative v the paper
    prints it with its negative theta_N, for which the condition can never hold; here the magnitude is used. For a
    neuron with one threshold it is a rectangle of width threshold. The threshold is set by the neuron.

    Args:
        alpha: gradient inside the rectangle. The paper gives no number; 1 makes the area of a level 1 at threshold 1.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, alpha: Positive = 1.0) -> None:
        super().__init__()
        self.alpha = alpha
        self.width = 1.0

    def at(self, t: int, threshold: float) -> Surrogate:
        if threshold == self.width:
            return self
        other = MultilevelRectangle(alpha=self.alpha)
        other.width = threshold
        return other

    def gradient(self, u: Tensor) -> Tensor:
        # Half open: neighbouring levels share an edge, which must count once.
        return (heaviside(u + self.width / 2) - heaviside(u - self.width / 2)) * self.alpha

    def kernel_numbers(self) -> tuple[float, ...]:
        return self.width / 2, self.alpha

    def primitive(self, u: Tensor) -> Tensor:
        return self.alpha * (u + self.width / 2).clamp(0, self.width)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}"
