"""What a neuron's equations and its surrogate tell the kernels about themselves."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Statistics(NamedTuple):
    """How thresholds and widths follow from all potentials of a step, see `adaptive_threshold.py`.

    Attributes:
        f_c: factor of the adaptive threshold.
        threshold: whether the threshold adapts.
        width: whether the width does.
        by_deviation: whether the width follows the standard deviation rather than the threshold.
        decided: takes the number of the first step, and the thresholds and widths [2, T] of a call.
        levels: threshold and width of a step, of count, mean and sum of squared differences [3] of its potentials in
            this process.
    """

    f_c: float
    threshold: bool
    width: bool
    by_deviation: bool
    decided: Callable[[int, Tensor], None]
    levels: Callable[[Tensor], tuple[Tensor | float, Tensor | float]]


class KernelForm(NamedTuple):
    """The equations of a neuron, as kernels take them.

    Attributes:
        family: name of a module with the functions `fire` and `adjoint`, such as
            `snnlab.kernels.integrate_and_fire`; it says what the options are.
        options: whole numbers, constants when a kernel is compiled.
        level: distance of the levels upwards, the threshold.
        lower: distance of the levels downwards, as a magnitude.
        levels: where steps differ: of the number of the first step and how many there are, the threshold and the
            width of each [2, T].
        statistics: where they follow from the potentials.
    """

    family: str
    options: tuple[int, ...]
    level: float
    lower: float
    levels: Callable[[int, int], Tensor] | None = None
    statistics: Statistics | None = None
