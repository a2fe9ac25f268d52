"""The surrogate gradient that is the derivative of a fast sigmoid, as in SuperSpike."""

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    z = tl.abs(u) * numbers[0] + 1
    return numbers[1] / (z * z)


class FastSigmoid(Surrogate):
    """Derivative of the fast sigmoid u / (1 + slope |u|), the surrogate of SuperSpike.

    gradient(u)  = height / (1 + slope |u|)^2
    primitive(u) = height u / (1 + slope |u|)

    Zenke and Ganguli 2018, "SuperSpike"; snntorch's `fast_sigmoid`, with the same defaults slope = 25 and
    height 1. The area is 2 height / slope, so at the default height it is far below 1: gradients shrink with
    the slope.

    Args:
        slope: slope of the fast sigmoid; the higher, the narrower.
        height: gradient at the threshold.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, slope: Positive = 25.0, height: Positive = 1.0) -> None:
        super().__init__()
        self.slope = slope
        self.height = height

    def gradient(self, u: Tensor) -> Tensor:
        return self.height / (u.abs() * self.slope + 1).square()

    def kernel_numbers(self) -> tuple[float, ...]:
        return self.slope, self.height

    def primitive(self, u: Tensor) -> Tensor:
        return self.height * u / (u.abs() * self.slope + 1)

    def extra_repr(self) -> str:
        return f"slope={self.slope:g}, height={self.height:g}"
