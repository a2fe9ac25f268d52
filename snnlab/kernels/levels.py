"""The few values that a tensor of spikes may have, and how many bits tell them apart."""

from typing import NamedTuple


class Levels(NamedTuple):
    """The numbers k / parts for all integers k from low to high.

    Attributes:
        low, high: least and greatest integer.
        parts: a power of two, so that a level times `parts` is k without rounding.
    """

    low: int
    high: int
    parts: int = 1


def bits_of(levels: Levels) -> int | None:
    """Returns the bits that a level needs; None if more than 8."""
    count = levels.high - levels.low + 1
    return next((bits for bits in (1, 2, 4, 8) if count <= 1 << bits), None)
