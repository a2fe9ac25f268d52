"""Maps of numbers by rows and columns, one beside the other, each with its own colours and the numbers written in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from snnlab.plots.figure import INK, drawing, write_csv
from snnlab.plots.hover import hover_cells

CELL_INCHES = 0.62


@dataclass(frozen=True)
class NumberMap:
    """A map.

    Attributes:
        title: above it.
        values: for each row, those of its columns; None where there is none.
        digits: after the point, in the picture.
        dark_is_high: whether the greatest number has the darkest colour; otherwise the least.
        aside: the rows and columns of numbers that stand in brackets, without a colour.
    """

    title: str
    values: Sequence[Sequence[float | None]]
    digits: int
    dark_is_high: bool
    aside: Collection[tuple[int, int]] = ()

    def text(self, row: int, column: int) -> str:
        """What stands in a cell."""
        value = self.values[row][column]
        text = "-" if value is None else f"{value:.{self.digits}f}"
        return f"({text})" if (row, column) in self.aside else text

    @property
    def shares(self) -> list[list[float]]:
        """The depth of each cell's colour, 0 to 1."""
        cells = {
            (y, x): value
            for y, row in enumerate(self.values)
            for x, value in enumerate(row)
            if value is not None and (y, x) not in self.aside
        }
        low, high = min(cells.values(), default=0.0), max(cells.values(), default=0.0)
        span = (high - low) or 1.0
        depth = {at: (v - low if self.dark_is_high else high - v) / span for at, v in cells.items()}
        return [[depth.get((y, x), 0.0) for x in range(len(row))] for y, row in enumerate(self.values)]


def plot_number_maps(
    maps: Sequence[NumberMap],
    path: Path,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str = "",
    note: str = "",
) -> Path:
    """Draws maps of the same rows and columns, two beside each other.

    Args:
        maps: the maps; the darker a cell, the better.
        path: PNG, PDF or SVG file to write; the CSV beside it has a row for each cell.
        rows, columns: their names.
        title: above the picture.
        note: below it.

    Returns:
        `path`.

    Raises:
        ValueError: there is no number.
    """
    if not any(value is not None for one in maps for row in one.values for value in row):
        raise ValueError("number maps: nothing to draw")
    across = min(2, len(maps))
    down = -(-len(maps) // across)
    width = across * (1.6 + CELL_INCHES * len(columns))
    height = down * (1.5 + 0.6 * CELL_INCHES * len(rows)) + 0.3
    with drawing(path, width, height, title) as figure:
        panels = list(figure.subplots(down, across, squeeze=False).flat)
        for axes in panels[len(maps) :]:
            axes.set_axis_off()
        for axes, one in zip(panels, maps, strict=False):
            # Twice the share: numbers stay readable on the darkest cell.
            axes.imshow(one.shares, cmap="Blues", vmin=0, vmax=2, aspect="auto", interpolation="nearest")
            for y, x in product(range(len(rows)), range(len(columns))):
                axes.text(x, y, one.text(y, x), ha="center", va="center", fontsize=8, color=INK)
            hover_cells(axes, [
                ["" if value is None else f"{name}, {column}: {value:.4g}"
                 for column, value in zip(columns, row, strict=True)]
                for name, row in zip(rows, one.values, strict=True)
            ])  # fmt: skip
            axes.set(title=one.title)
            axes.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(rows)), rows)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
        if note:
            figure.supxlabel(note, fontsize=9, x=0.02, ha="left")
    cells = [
        (one.title, row, column, value)
        for one in maps
        for row, values in zip(rows, one.values, strict=True)
        for column, value in zip(columns, values, strict=True)
    ]
    write_csv(path.with_suffix(".csv"), ("map", "row", "column", "value"), cells)
    return path
