"""Lines over epochs or time steps for a page: one or several runs in one quantity."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from snnlab.plots.figure import MUTED, whole_numbers
from snnlab.plots.inline_svg import COLOURS, inline_picture

WIDTH, HEIGHT = 250, 165
"""In pixels of the page, which has no narrower column for it (`.multiples`)."""
MOST_DOTS = 40


@dataclass(frozen=True)
class Series:
    """A line.

    Args:
        name: label in the tooltip.
        colour: index of its colour in `COLOURS`.
        points: x and y, in the printed unit.
        dashed: drawn with dashes.
        group: for the legend, once for all lines that share it; empty: the name.
    """

    name: str
    colour: int
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    group: str = ""


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
        """Returns the legend's labels, each with one line of its kind."""
        return list({one.group or one.name: one for one in self.shown}.items())

    def svg(self) -> str:
        """The picture without title and legend, which are the page's."""
        with inline_picture(WIDTH, HEIGHT, f"{self.title} against {self.x_label}") as picture:
            axes = picture.figure.subplots()
            for one in self.shown:
                xs, ys = zip(*one.points, strict=True)
                dashes = (0, (4, 2.4)) if one.dashed else "-"
                axes.plot(xs, ys, color=COLOURS[one.colour], linestyle=dashes)
                dots = self._dots(one)
                # matplotlib writes no link for a list of a single URL.
                urls = [picture.tip(self._tip(one, *dot)) for dot in dots] * 2
                xs, ys = zip(*dots, strict=True)
                axes.scatter(xs, ys, 16, COLOURS[one.colour], zorder=3, urls=urls, clip_on=False)
            every_x = [x for one in self.shown for x, _ in one.points]
            whole_numbers(axes, min(every_x), max(every_x))
            # As many numbers as there is room for.
            digits = len(f"{max(every_x):.0f}")
            axes.locator_params(axis="x", nbins=WIDTH // (9 * digits + 15))
            axes.set_xlabel(self.x_label, color=MUTED)
            axes.locator_params(axis="y", nbins=5)
            axes.grid(axis="y")
            axes.spines["left"].set_visible(False)
            axes.tick_params(length=0, labelcolor=MUTED)
            axes.set_ylim(*self._bounds())
        return picture.svg

    def _bounds(self) -> tuple[float, float]:
        """Of the y axis: the lines with some room, also where all values are equal."""
        ys = [y for one in self.shown for _, y in one.points]
        low, high = (0.0 if self.from_zero else min(ys)), max(ys)
        if high - low < 1e-9:
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        margin = 0.05 * (high - low)
        return low - (0 if self.from_zero else margin), high + margin

    def _dots(self, series: Series) -> list[tuple[float, float]]:
        """Where tooltips are; not on every point of long lines."""
        every = math.ceil(len(series.points) / MOST_DOTS)
        return list(dict.fromkeys([*series.points[::every], *series.points[-1:]]))

    def _tip(self, series: Series, x: float, y: float) -> str:
        return f"{series.name}, {self.x_label} {x:g}: {y:.{self.digits}f}"
