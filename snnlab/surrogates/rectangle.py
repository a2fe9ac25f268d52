"""The rectangular surrogate gradient of STBP."""

from torch import Tensor

from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate, heaviside
from snnlab.triton_language import jit, tl


@jit
def _in_kernel(u: "tl.tensor", a: "tl.tensor", numbers: "tl.tuple") -> "tl.tensor":
    return tl.where(tl.abs(u) < numbers[0], numbers[1], 0.0)


class Rectangle(Surrogate):
    """Rectangle of full width k, the surrogate of STBP and DS-ATGO.

    gradient(u)  = height if |u| < width / 2 else 0
    primitive(u) = height clamp(u + width / 2, 0, width)

    With the default height, 1 / width, the area is 1 (Wu et al. 2018, "Spatio-temporal backpropagation"; DS-
    ATGO Eq. 4, whose kappa is the width). DS-ATGO prints <= where its code has <; the code is followed.

    Args:
        width: full width of the window around the threshold, in units of the membrane potential.
        height: gradient inside the window; null: 1 / width, so that the area is 1.
    """

    kernel_gradient = _in_kernel

    def __init__(self, *, width: Positive = 1.0, height: Positive | None = None) -> None:
        super().__init__()
        self.width = width
        self.height = 1 / width if height is None else height

    def gradient(self, u: Tensor) -> Tensor:
        return (1 - heaviside(u.abs() - self.width / 2)) * self.height

    def kernel_numbers(self) -> tuple[float, ...]:
        return self.width / 2, self.height

    def primitive(self, u: Tensor) -> Tensor:
        return self.height * (u + self.width / 2).clamp(0, self.width)

    def extra_repr(self) -> str:
        return f"width={self.width:g}, height={self.height:g}"
