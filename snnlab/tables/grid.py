"""Lays a filled table out as a grid of texts: a line for each cell, or rows and columns as in the paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from snnlab.tables.fill import Filled, FilledCell
from snnlab.tables.table_file import Column, Row

NUMBERS = ("published", "here", "difference", "n")
# Characters that fit on a page or a screen.
LINE = 120


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Args:
        head: the headings.
        body: its rows.
        words: number of columns from the left that hold text and are aligned to the left, like the verdict.
    """

    head: list[str]
    body: list[list[str]]
    words: int

    @property
    def width(self) -> int:
        """Characters of a line, with two between columns."""
        lines = [self.head, *self.body]
        return sum(max(len(line[index]) for line in lines) + 2 for index in range(len(self.head)))

    def is_words(self, index: int) -> bool:
        return index < self.words or self.head[index] == "verdict"


def cells_grid(filled: Filled) -> Grid:
    """A line for each cell; a word that repeats the line above is left out."""
    head = [*filled.table.labels, "", *NUMBERS, "verdict"]
    body: list[list[str]] = []
    before: Sequence[str] = ()
    for cell in filled.cells:
        if cell.published[0] is None and cell.mean is None and cell.why in ("cited", "not in the paper"):
            continue
        labels = marked_labels(cell.row)
        shown = ["" if labels == before else one for one in labels]
        before = labels
        line = [*shown, cell.column.label, published(cell), here(cell), _difference(cell)]
        body.append([*line, str(len(cell.values)) if cell.values else "", cell.verdict])
    return Grid(head, body, len(filled.table.labels) + 1)


def paper_grid(filled: Filled) -> Grid:
    """Rows and columns as in the paper: what was measured here, and the published value in brackets.

    A table that is too wide is transposed if that makes it narrower.
    """
    columns, rows = filled.table.columns, filled.table.rows
    names = [column.label for column in columns]
    texts = [[_both(filled.cell(row, column)) for column in columns] for row in rows] if columns else []
    body = [[*marked_labels(row), *line] for row, line in zip(rows, texts, strict=bool(columns))]
    upright = Grid([*filled.table.labels, *names], body, len(filled.table.labels))
    down = [[name, *line] for name, line in zip(names, zip(*texts, strict=True), strict=True)]
    turned = Grid(["", *(", ".join(filter(None, marked_labels(row))) for row in rows)], down, 1)
    return turned if upright.width > max(LINE, turned.width) else upright


def marked_labels(row: Row) -> list[str]:
    """A row's labels; the last one that is a word has the footnote of the whole row."""
    if "row" not in row.notes:
        return list(row.labels)
    words = [index for index, label in enumerate(row.labels) if any(map(str.isalpha, label))]
    marked = words[-1] if words else len(row.labels) - 1
    mark = f" [{row.notes['row']}]"
    return [f"{label}{mark}" if index == marked else label for index, label in enumerate(row.labels)]


def published(cell: FilledCell) -> str:
    """The paper's value as the paper rounds it, with the cell's own footnote."""
    text = number(*cell.published, cell.column)
    key = cell.row.notes.get(cell.column.label)
    return f"{text} [{key}]" if key else text


def here(cell: FilledCell) -> str:
    """The measured value, rounded like the published one."""
    return number(cell.mean, cell.std, cell.column)


def number(mean: float | None, std: float | None, column: Column) -> str:
    """`78.05 +- 0.18`, or a dash."""
    if mean is None:
        return "-"
    text = f"{mean:.{column.places}f}"
    return text if std is None else f"{text} +- {std:.{column.places}f}"


def _difference(cell: FilledCell) -> str:
    comparable = cell.scale == "full" or cell.column.of_settings
    if cell.difference is None or not comparable:
        return ""
    return f"{cell.difference:+.{cell.column.places}f}"


def _both(cell: FilledCell) -> str:
    if cell.published[0] is None:
        return here(cell)
    if cell.row.cited:
        return f"({published(cell)})"
    return f"{here(cell)} ({published(cell)})"
