"""Determines from the values of a tensor whether it holds spikes, averages of spikes, or real numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Content = Literal["spikes", "pooled", "real"]


@dataclass(frozen=True)
class Look:
    """The kind of values in a tensor.

    Attributes:
        content: integers, or 0 and one other magnitude: spikes. Multiples of 1/n: pooled. Else real.
        unit: magnitude of one spike.
        pool: n.
    """

    content: Content
    unit: float = 1.0
    pool: int = 1


def look(x: Tensor, divisors: Sequence[int] = ()) -> Look:
    """Classifies the values of x [...]; `divisors` are candidates for n, ascending. Synchronises with the device."""
    if (x == x.round()).all():
        return Look("spikes")
    top = float(x.abs().max())
    if ((x == 0) | (x.abs() == top)).all():
        return Look("spikes", unit=top)
    for n in divisors:
        scaled = x.float() * n
        if ((scaled - scaled.round()).abs() < 1e-3).all():
            return Look("pooled", pool=n)
    return Look("real")


def is_sign(x: Tensor) -> bool:
    """Returns whether all values are -1, 0 or 1."""
    return bool((x == x.sign()).all())
