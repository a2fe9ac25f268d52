"""What an SVG picture says where the pointer rests: invisible marks with texts. PNG and PDF do not have them."""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from snnlab.plots.figure import INK, tip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 2500
"""Marks of a picture; of a greater map each would be a pixel or two."""
MOST_OF_A_LINE = 40
SIZE = 100
"""Of a mark in square points, easier to hit than what it lies on."""


def hover_points(axes: "Axes", xs: Sequence[float], ys: Sequence[float], texts: Sequence[str]) -> None:
    """Says a text at each point; those that are not finite or beyond `MOST` are left out."""
    shown = [one for one in zip(xs, ys, texts, strict=True) if isfinite(one[0]) and isfinite(one[1])][:MOST]
    if shown:
        xs, ys, texts = zip(*shown, strict=True)
        axes.scatter(xs, ys, SIZE, INK, alpha=0, linewidths=0, zorder=9, urls=urls(texts))


def hover_line(axes: "Axes", xs: Sequence[float], ys: Sequence[float], texts: Sequence[str]) -> None:
    """Says a text at the points of a line, not at every point of a long one, but at the last."""
    every = -(-len(xs) // MOST_OF_A_LINE) or 1
    shown = sorted({*range(0, len(xs), every), len(xs) - 1} - {-1})
    hover_points(axes, *([values[index] for index in shown] for values in (xs, ys, texts)))


def hover_cells(
    axes: "Axes", texts: Sequence[Sequence[str]], *, left: float = -0.5, top: float = -0.5
) -> None:
    """Says a text in each cell of a map whose cells are one wide and one high; nothing if they are too many.

    Args:
        axes: of the map.
        texts: by row and column; empty: nothing is said there.
        left: where the first column begins.
        top: where the first row begins.
    """
    from matplotlib.collections import PolyCollection

    found = [
        (_box(left + column, top + row), text)
        for row, line in enumerate(texts)
        for column, text in enumerate(line)
        if text
    ]
    if 0 < len(found) <= MOST:
        boxes, said = zip(*found, strict=True)
        # With a colour: what has none receives no pointer.
        marks = PolyCollection(boxes, facecolors=INK, alpha=0, linewidths=0, zorder=9, urls=urls(said))
        axes.add_collection(marks, autolim=False)


def hover_rows(
    axes: "Axes", texts: Sequence[str], width: float, *, left: float = -0.5, top: float = -0.5
) -> None:
    """Says a text along each row of a map that is so many cells wide."""
    from matplotlib.collections import PolyCollection

    boxes = [_box(left, top + row, width) for row in range(len(texts))]
    marks = PolyCollection(boxes, facecolors=INK, alpha=0, linewidths=0, zorder=9, urls=urls(texts))
    axes.add_collection(marks, autolim=False)


def urls(texts: Sequence[str]) -> list[str]:
    """The links of a collection's marks, which become texts in `drawing`."""
    found = [tip(text) for text in texts]
    # matplotlib writes no link for a list of a single one.
    return found * 2 if len(found) == 1 else found


def _box(left: float, top: float, width: float = 1.0) -> list[tuple[float, float]]:
    return [(left, top), (left + width, top), (left + width, top + 1), (left, top + 1)]
