"""Prints a filled table: on the terminal, as Markdown, LaTeX, CSV, HTML or JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from snnlab.report.fill import Filled, FilledCell, Tested
from snnlab.report.stored_table import as_json
from snnlab.report.table_file import Column

Layout = Literal["cells", "paper"]
FORMATS = ("terminal", "md", "latex", "csv", "html", "json", "png")
NUMBERS = ("published", "here", "difference", "n")


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Args:
        head: the headings.
        body: its rows.
        words: how many columns from the left are words, and not aligned to the right; so is the verdict.
    """

    head: list[str]
    body: list[list[str]]
    words: int

    def is_words(self, index: int) -> bool:
        return index < self.words or self.head[index] == "verdict"


def render(filled: Filled, form: str, layout: Layout = "cells") -> str:
    """A filled table as text.

    Args:
        filled: the table.
        form: md | latex | csv | html | json.
        layout: `cells`, a line for each cell, or `paper`, rows and columns as in the paper.
    """
    if form == "json":
        return json.dumps(as_json(filled), indent=1)
    if form == "csv":
        return _csv(filled)
    grid = cells_grid(filled) if layout == "cells" else paper_grid(filled)
    if form == "latex":
        return _latex(filled, grid)
    if form == "html":
        from snnlab.report.page import table_page

        return table_page(filled.name, grid, _above(filled), below(filled))
    return markdown(filled, grid)


def on_terminal(filled: Filled, layout: Layout = "cells") -> RenderableType:
    """A filled table for a console of rich."""
    above = [Text(line, style="bold" if index == 0 else "") for index, line in enumerate(_above(filled))]
    notes = [Text(line, style="dim") for line in below(filled)]
    if not filled.cells:
        return Group(*above, Text(), *notes)
    grid = cells_grid(filled) if layout == "cells" else paper_grid(filled)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, head in enumerate(grid.head):
        table.add_column(Text(head), justify="left" if grid.is_words(index) else "right", overflow="fold")
    for line in grid.body:
        table.add_row(*(Text(text, style=_style(text)) for text in line))
    return Group(*above, Text(), table, Text(), *notes)


def cells_grid(filled: Filled) -> Grid:
    """A line for each cell; a word that repeats the line above is left out."""
    head = [*filled.table.labels, "", *NUMBERS, "verdict"]
    body: list[list[str]] = []
    before: Sequence[str] = ()
    for cell in filled.cells:
        if cell.published[0] is None and cell.mean is None and cell.why in ("cited", "not in the paper"):
            continue
        labels = ["" if list(before) == list(cell.row.labels) else one for one in cell.row.labels]
        before = cell.row.labels
        line = [*labels, cell.column.label, published(cell), here(cell), _difference(cell)]
        body.append([*line, str(len(cell.values)) if cell.values else "", cell.verdict])
    return Grid(head, body, len(filled.table.labels) + 1)


def paper_grid(filled: Filled) -> Grid:
    """Rows and columns as in the paper: what was measured here, and the published value in brackets."""
    columns = filled.table.columns
    head = [*filled.table.labels, *(column.label for column in columns)]
    body = []
    for row in filled.table.rows:
        cells = [filled.cell(row, column) for column in columns]
        body.append([*row.labels, *(_both(cell) for cell in cells)])
    return Grid(head, body, len(filled.table.labels))


def markdown(filled: Filled, grid: Grid) -> str:
    """Title, table, and what has to be said about it."""
    title, *about = _above(filled)
    lines = [f"**{title}**", "", *(f"{line}  " for line in about), "", *markdown_grid(grid), ""]
    return "\n".join([*lines, *(f"- {line}" for line in below(filled))]).rstrip() + "\n"


def markdown_grid(grid: Grid) -> list[str]:
    """The table alone, in columns of equal width; nothing of a figure without numbers."""
    if not grid.body:
        return []
    lines = [grid.head, *grid.body]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    widths = [max(2, *(len(line[index]) for line in lines)) for index in range(len(grid.head))]
    ruler = [
        "-" * width if grid.is_words(index) else "-" * (width - 1) + ":" for index, width in enumerate(widths)
    ]
    return [
        "| "
        + " | ".join(
            cell.ljust(width) if grid.is_words(index) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in [lines[0], ruler, *lines[1:]]
    ]


def published(cell: FilledCell) -> str:
    """The paper's value as the paper rounds it, with its footnotes."""
    mean, std = cell.published
    keys = [cell.row.notes[key] for key in (cell.column.label, "row") if key in cell.row.notes]
    marks = "".join(f" [{key}]" for key in sorted(set(keys)))
    return f"{number(mean, std, cell.column)}{marks}"


def here(cell: FilledCell) -> str:
    """What was measured, rounded in the same way."""
    return number(cell.mean, cell.std, cell.column)


def number(mean: float | None, std: float | None, column: Column) -> str:
    """`78.05 +- 0.18`, or a dash."""
    if mean is None:
        return "-"
    text = f"{mean:.{column.places}f}"
    return text if std is None else f"{text} +- {std:.{column.places}f}"


def below(filled: Filled) -> list[str]:
    """Paired tests, footnotes, remarks, what is missing."""
    lines = [_test_line(filled, one) for one in filled.tests]
    shown = {"row", *(column.label for column in filled.table.columns)}
    used = {key for row in filled.table.rows for where, key in row.notes.items() if where in shown}
    lines += [f"[{key}] {text}" for key, text in filled.table.footnotes.items() if key in used]
    lines += filled.table.remarks
    reasons: dict[str, list[str]] = {}
    for cell in filled.cells:
        why = cell.row.why_missing(cell.column)
        if why and cell.row.name not in reasons.setdefault(why, []):
            reasons[why].append(cell.row.name)
    lines += [f"not possible here yet: {'; '.join(rows)}: {why}" for why, rows in reasons.items()]
    draw = [
        one if one.startswith("python ") else f"snnlab {one}" for one in filled.table.draw_at(filled.scale)
    ]
    return [*lines, *(f"--run draws it, once all runs are there: {one}" for one in draw)]


def counts(filled: Filled) -> tuple[int, int, int]:
    """Cells that are measured, that could be, and that cannot be or are cited."""
    runnable = [cell for cell in filled.cells if cell.wanted]
    done = [cell for cell in runnable if len(cell.values) >= cell.wanted]
    return len(done), len(runnable), len(filled.cells) - len(runnable)


def _above(filled: Filled) -> list[str]:
    table = filled.table
    done, runnable, rest = counts(filled)
    rule = {"last": "after the last epoch", "best": "at the epoch that was best on the test split"}
    scale = {"full": "the full recipe", "short": "fewer epochs", "smoke": "shows only that all runs"}
    measured = (
        f"Scale {filled.scale}: {filled.data or scale[filled.scale]}. Measured {rule[table.selection]}; mean +- "
        f"standard deviation over the seeds {', '.join(map(str, filled.seeds))}."
    )
    lines = [f"{table.title}", f"{table.source}.", "It needs no runs." if table.of_settings else measured]
    if filled.by_hand:
        lines.append(f"With {' '.join(filled.by_hand)}.")
    if filled.splits:
        lines.append(f"Measured on {'; '.join(filled.splits)}.")
    if filled.cells and not table.of_settings:
        lines.append(
            f"{done} of {runnable} cells have all their runs; {rest} are cited or cannot be run here."
        )
    return lines


def _test_line(filled: Filled, one: Tested) -> str:
    column = filled.table.column(one.column)
    p = "" if one.p is None else f", p = {one.p:.3g}"
    paper = "" if one.published is None else f"; in the paper {one.published:+.{column.places}f}"
    return (
        f"{one.row} against {one.against}, {one.column}: {one.difference:+.{column.places}f} "
        f"(paired t test over {one.n} seeds{p}): {one.verdict}{paper}"
    )


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


def _csv(filled: Filled) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    spread = ["published", "published_std", "mean", "std", "n", "wanted", "difference"]
    writer.writerow([*filled.table.labels, "column", *spread, "scale", "verdict"])
    for cell in filled.cells:
        numbers = [*cell.published, cell.mean, cell.std, len(cell.values), cell.wanted, cell.difference]
        texts = ["" if one is None else f"{one:.7g}" for one in numbers]
        writer.writerow([*cell.row.labels, cell.column.label, *texts, filled.scale, cell.verdict])
    return file.getvalue()


def _latex(filled: Filled, grid: Grid) -> str:
    align = "".join("l" if grid.is_words(index) else "r" for index in range(len(grid.head)))
    lines = [
        f"% snnlab table {filled.name} scale={filled.scale}; needs booktabs",
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{_tex('. '.join(line.removesuffix('.') for line in _above(filled)))}.}}",
        f"  \\begin{{tabular}}{{{align}}}",
        r"    \toprule",
        f"    {' & '.join(map(_tex, grid.head))} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(map(_tex, line))} \\\\" for line in grid.body),
        r"    \bottomrule",
        r"  \end{tabular}",
        *(f"  \\par\\footnotesize {_tex(line)}" for line in below(filled)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


TEX = {
    **{ord(one): f"\\{one}" for one in "&%$#_{}"},
    ord("\\"): r"\textbackslash{}",
    ord("~"): r"\textasciitilde{}",
    ord("^"): r"\textasciicircum{}",
    ord("<"): r"\textless{}",
    ord(">"): r"\textgreater{}",
}


def _tex(text: str) -> str:
    return text.translate(TEX).replace("+-", r"$\pm$")


def _style(text: str) -> str:
    if text.endswith(("agrees", "as published", "better than published")):
        return "green"
    if text.endswith(("worse than published", "failed", "differs")):
        return "red"
    return "dim" if text.startswith(("not run", "cited", "not comparable")) else ""


def print_table(filled: Filled, layout: Layout = "cells") -> None:
    """Prints to the terminal, or as plain text of enough width where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(160, console.width))
    console.print(on_terminal(filled, layout))
