"""Charts as plain numbers that a template turns into inline SVG: lines, reliability diagrams, heat maps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 42, 8, 10, 26


@dataclass(frozen=True)
class Series:
    """A line.

    Args:
        name: for the tooltip.
        colour: number of its colour in the style sheet.
        points: x and y, in the unit of print.
        dashed: drawn with dashes.
        group: for the legend, once for all lines that share it; empty: the name.
    """

    name: str
    colour: int
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    group: str = ""


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class LineChart:
    """Lines over epochs or time steps.

    Args:
        title: above it.
        series: its lines; those without points are left out.
        x_label: below it.
        from_zero: the y axis begins at 0.
        digits: of the values in tooltips.
    """

    title: str
    series: Sequence[Series]
    x_label: str
    from_zero: bool = False
    digits: int = 4

    @property
    def shown(self) -> list[Series]:
        return [one for one in self.series if one.points]

    @property
    def legend(self) -> list[tuple[str, Series]]:
        """What to call the lines, with one of each kind."""
        return list({one.group or one.name: one for one in self.shown}.items())

    @property
    def _range(self) -> tuple[float, float, float, float]:
        xs = [x for one in self.shown for x, _ in one.points]
        ys = [y for one in self.shown for _, y in one.points]
        low, high = (0.0 if self.from_zero else min(ys)), max(ys)
        if high - low < 1e-9:
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        margin = 0.05 * (high - low)
        left, right = min(xs), max(xs)
        return left, max(right, left + 1e-9), low - (0 if self.from_zero else margin), high + margin

    def x(self, value: float) -> float:
        left, right, _, _ = self._range
        if right - left < 1e-6:
            return (LEFT + WIDTH - RIGHT) / 2
        return LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        _, _, low, high = self._range
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    @property
    def x_ticks(self) -> list[Tick]:
        left, right, _, _ = self._range
        step = max(1, math.ceil((right - left) / 6))
        first = math.ceil(left)
        return [Tick(self.x(one), str(one)) for one in range(first, math.floor(right + 1e-6) + 1, step)]

    @property
    def y_ticks(self) -> list[Tick]:
        _, _, low, high = self._range
        return [Tick(self.y(value), text) for value, text in nice_ticks(low, high)]

    def path(self, series: Series) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in series.points)

    def dots(self, series: Series) -> list[tuple[float, float, str]]:
        """Where tooltips are; not on every point of long lines."""
        every = math.ceil(len(series.points) / 40)
        chosen = [*series.points[::every], *series.points[-1:]]
        return [
            (self.x(x), self.y(y), f"{series.name}, {self.x_label} {x:g}: {y:.{self.digits}f}")
            for x, y in dict.fromkeys(chosen)
        ]


@dataclass(frozen=True)
class Bar:
    """One bin of a reliability diagram, as shares of the square."""

    x: float
    width: float
    accuracy: float
    confidence: float
    text: str

    @property
    def low(self) -> float:
        return min(self.accuracy, self.confidence)

    @property
    def high(self) -> float:
        return max(self.accuracy, self.confidence)

    @property
    def too_sure(self) -> bool:
        return self.confidence > self.accuracy


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram of one time step."""

    step: int
    error: float
    bars: Sequence[Bar]
    counts: Sequence[tuple[float, float, float]]
    """x, width and height of each bin's number of samples, as a part of the fullest bin's."""


def reliability(bins: Mapping[str, Sequence[Sequence[float | None]]], step: int) -> Reliability:
    """The diagram of a step (from 1) of `count`, `confidence` and `accuracy` [T][bins]."""
    counts = [one or 0.0 for one in bins["count"][step - 1]]
    total, width, most = sum(counts) or 1.0, 1 / len(counts), max(counts) or 1.0
    bars, error = [], 0.0
    for index, count in enumerate(counts):
        confidence, accuracy = bins["confidence"][step - 1][index], bins["accuracy"][step - 1][index]
        if not count or confidence is None or accuracy is None:
            continue
        error += count / total * abs(confidence - accuracy)
        text = f"{count:.0f} samples, confidence {confidence:.3f}, accuracy {accuracy:.3f}"
        bars.append(Bar(index * width, width, accuracy, confidence, text))
    shares = [(index * width, width, count / most) for index, count in enumerate(counts)]
    return Reliability(step, error, bars, shares)


@dataclass(frozen=True)
class HeatCell:
    value: float
    share: float
    """Depth of its colour, 0 to 1."""
    text: str
    tip: str


@dataclass(frozen=True)
class HeatMap:
    """Rows and columns of coloured numbers."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[HeatCell]]


def rate_map(rates: Mapping[str, Sequence[float]]) -> HeatMap:
    """Firing rates of layers at time steps."""
    top = max((value for values in rates.values() for value in values), default=0.0) or 1.0
    steps = max((len(values) for values in rates.values()), default=0)
    cells = [
        [HeatCell(value, value / top, f"{value:.2f}", f"{layer}, t = {step}: {value:.4f}")
         for step, value in enumerate(values, start=1)]
        for layer, values in rates.items()
    ]  # fmt: skip
    return HeatMap(list(rates), [str(step) for step in range(1, steps + 1)], cells)


def confusion_map(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> HeatMap:
    """Counts of true (rows) against predicted classes; the colour is the share of the row."""
    cells = []
    for row, true in zip(counts, classes, strict=True):
        total = sum(row) or 1
        cells.append(
            [
                HeatCell(
                    count, count / total, str(count) if count else "", f"{true} taken for {name}: {count}"
                )
                for count, name in zip(row, classes, strict=True)
            ]
        )
    return HeatMap(list(classes), list(classes), cells)


def nice_ticks(low: float, high: float, about: int = 4) -> list[tuple[float, str]]:
    """Round values between two bounds, with texts of equal digits."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    digits = max(0, -math.floor(math.log10(step) + 1e-9) + (step / power == 2.5))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [((first + n) * step, f"{(first + n) * step:.{digits}f}") for n in range(count)]
