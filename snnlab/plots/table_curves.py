"""A table along an axis such as time as a picture: a panel for each quantity, a line and its spread for each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.plots.figure import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    drawing,
    legend_columns,
    whole_numbers,
)
from snnlab.plots.hover import hover_line

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
MARKERS = "osD^v*"
WIDTH = 4.2
"""Of a panel, in inches."""


@dataclass(frozen=True)
class Curve:
    """A row of a table in one quantity.

    Args:
        name: of the method.
        means: over the seeds, by their place on the axis, such as the time step.
        stds: of the seeds, where there are several, in the same way.
        published: the paper's values; empty: none, or none to compare with.
    """

    name: str
    means: Mapping[float, float]
    stds: Mapping[float, float]
    published: Mapping[float, float]


def plot_table(
    panels: Mapping[str, Sequence[Curve]],
    path: Path,
    *,
    title: str = "",
    horizontal: str = "time step",
    note: str = "",
) -> Path:
    """Draws every quantity along the axis; what a paper has published is dashed.

    Args:
        panels: curves by the name of their quantity, with its unit; the same methods in the same order in all of them.
        path: PNG, PDF or SVG file to write.
        title: above the picture.
        horizontal: what the axis is.
        note: small, below the picture: what lines and bands are.

    Returns:
        `path`.
    """
    with drawing(path, WIDTH * len(panels), 4.0, title) as figure:
        for axes, (name, curves) in zip(
            figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True
        ):
            for index, curve in enumerate(curves):
                colour = COLOURS[index % len(COLOURS)]
                steps, means = list(curve.means), list(curve.means.values())
                # Rows that share a colour differ in their marker.
                marker = MARKERS[(index + index // len(COLOURS)) % len(MARKERS)]
                axes.plot(steps, means, color=colour, marker=marker, label=curve.name)
                hover_line(
                    axes,
                    steps,
                    means,
                    [f"{curve.name}, {horizontal} {x:g}: {y:.4g}" for x, y in curve.means.items()],
                )
                said = [
                    f"{curve.name}, published, {horizontal} {x:g}: {y:.4g}"
                    for x, y in curve.published.items()
                ]
                hover_line(axes, list(curve.published), list(curve.published.values()), said)
                stds = [curve.stds.get(step, 0.0) for step in steps]
                low = [mean - std for mean, std in zip(means, stds, strict=True)]
                high = [mean + std for mean, std in zip(means, stds, strict=True)]
                axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
                axes.plot(list(curve.published), list(curve.published.values()), "--", color=colour)
            every = [step for curve in curves for step in (*curve.means, *curve.published)]
            if all(float(one).is_integer() for one in every):
                whole_numbers(axes, min(every), max(every))
            numbers = [mean for curve in curves for mean in curve.means.values()]
            if 0 <= min(numbers) < max(numbers) / 4:
                axes.set_ylim(bottom=0)  # calibration errors and rates are compared with 0
            axes.set(title=name, xlabel=horizontal)
            axes.grid(axis="y")
            if any(curve.published for curve in curves):
                axes.plot([], [], "--", color=MUTED, label="published")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        columns = legend_columns(labels, WIDTH * len(panels))
        figure.legend(
            handles, labels, loc="outside lower center", ncols=columns, title=note or None, title_fontsize=8
        )
    return path
