"""What an annotation says about a config key besides its type: bounds, and whether it counts in a run's hash.

The bounds are `Annotated` aliases that the config checker enforces.

Holds no torch, so that a value is checked before torch is imported.
"""

from dataclasses import dataclass
from typing import Annotated, TypeVar


@dataclass(frozen=True)
class Gt:
    """Greater than the bound."""

    bound: float

    def accepts(self, value: float) -> bool:
        return value > self.bound

    def __str__(self) -> str:
        return f"> {self.bound:g}"


@dataclass(frozen=True)
class Ge:
    """Greater than the bound or equal to it."""

    bound: float

    def accepts(self, value: float) -> bool:
        return value >= self.bound

    def __str__(self) -> str:
        return f">= {self.bound:g}"


@dataclass(frozen=True)
class Lt:
    """Less than the bound."""

    bound: float

    def accepts(self, value: float) -> bool:
        return value < self.bound

    def __str__(self) -> str:
        return f"< {self.bound:g}"


@dataclass(frozen=True)
class Le:
    """Less than the bound or equal to it."""

    bound: float

    def accepts(self, value: float) -> bool:
        return value <= self.bound

    def __str__(self) -> str:
        return f"<= {self.bound:g}"


class Default(float):
    """A default that a constructor can tell from the same number given: `decay: HalfOpenFraction = Default(0.5)`.

    In a configuration each key has a value; one is given if the command line sets it or it is not the default.
    """


Bound = Gt | Ge | Lt | Le

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
AtLeastOne = Annotated[float, Ge(1)]
Fraction = Annotated[float, Ge(0), Le(1)]
OpenFraction = Annotated[float, Gt(0), Lt(1)]
HalfOpenFraction = Annotated[float, Ge(0), Lt(1)]
PositiveInt = Annotated[int, Gt(0)]
NonNegativeInt = Annotated[int, Ge(0)]
# Threads or processes; a system that cannot start that many ends the process with a segmentation fault.
Threads = Annotated[int, Gt(0), Le(1024)]
Workers = Annotated[int, Ge(0), Le(1024)]

T = TypeVar("T")
Unhashed = Annotated[T, "not in the hash"]
"""A key that leaves the result of a run as it is, or that the path of its directory names already."""
