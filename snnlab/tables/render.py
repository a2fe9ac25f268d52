"""Prints a filled table: on the terminal, as Markdown, LaTeX, CSV, HTML or JSON."""

import csv
import io
import json
from typing import Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from snnlab.markdown import markdown_table
from snnlab.tables.fill import Filled, Tested
from snnlab.tables.grid import Grid, cells_grid, paper_grid
from snnlab.tables.latex import latex
from snnlab.tables.stored_table import as_json

Layout = Literal["cells", "paper"]
PICTURES = ("png", "pdf", "svg")
FORMATS = ("terminal", "md", "latex", "csv", "html", "json", *PICTURES)


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
    title, source, *about = _above(filled)
    if form == "latex":
        command = f"snnlab table {filled.name} scale={filled.scale}"
        return latex(command, f"{title}. {source}", grid, [*about, *below(filled)])
    if form == "html":
        from snnlab.tables.html import table_page

        return table_page(filled.name, grid, [title, source, *about], below(filled))
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


def markdown(filled: Filled, grid: Grid) -> str:
    """Title, table and notes as Markdown."""
    title, *about = _above(filled)
    lines = [f"**{title}**", "", *(f"{line}  " for line in about), "", *markdown_grid(grid), ""]
    return "\n".join([*lines, *(f"- {line}" for line in below(filled))]).rstrip() + "\n"


def markdown_grid(grid: Grid) -> list[str]:
    """The table alone, in columns of equal width; nothing of a figure without numbers."""
    if not grid.body:
        return []
    words = [index for index in range(len(grid.head)) if grid.is_words(index)]
    return markdown_table(grid.head, grid.body, words=words)


def below(filled: Filled) -> list[str]:
    """Runs that are not whole, paired tests, footnotes, remarks, what is missing."""
    lines = [f"not whole, see snnlab verify: {', '.join(filled.damaged)}"] if filled.damaged else []
    lines += [_test_line(filled, one) for one in filled.tests]
    shown = {"row", *(column.label for column in filled.table.columns)}
    used = {key for row in filled.table.rows for where, key in row.notes.items() if where in shown}
    lines += [f"[{key}] {text}" for key, text in filled.table.footnotes.items() if key in used]
    lines += filled.table.remarks
    reasons: dict[str, list[str]] = {}
    for cell in filled.cells:
        why = cell.row.why_missing(cell.column)
        name = cell.row.name if cell.row.missing else f"{cell.row.name} ({cell.column.label})"
        if why and name not in reasons.setdefault(why, []):
            reasons[why].append(name)
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
    scale = {
        "full": "the full recipe",
        "converged": "few training images, learned by heart",
        "short": "fewer epochs",
        "smoke": "shows only that all runs",
    }
    measured = (
        f"Scale {filled.scale}: {filled.data or scale[filled.scale]}. Measured {rule[table.selection]}; "
        f"{filled.over_seeds}."
    )
    lines = [f"{table.title}", f"{table.source}.", "It needs no runs." if table.of_settings else measured]
    if filled.by_hand:
        lines.append(f"With {' '.join(filled.by_hand)}.")
    if filled.splits:
        lines.append(f"Measured on {'; '.join(filled.splits)}.")
    if accuracies := filled.train_accuracies:
        lines.append(f"Training accuracy in the last epoch: {accuracies[0]:.2f} to {accuracies[-1]:.2f} %.")
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
        f"{_rows(filled, one)}, {one.column}: {one.difference:+.{column.places}f} "
        f"(paired t test over {one.n} seeds{p}): {one.verdict}{paper}"
    )


def _rows(filled: Filled, one: Tested) -> str:
    """`TMC against SDT (CIFAR100, ResNet-19)`: what both rows have in common comes last, and once."""
    pairs = list(zip(filled.table.row(one.row).labels, filled.table.row(one.against).labels, strict=True))
    common = ", ".join(a for a, b in pairs if a == b and a)
    row, against = (", ".join(pair[n] for pair in pairs if pair[0] != pair[1]) for n in (0, 1))
    return f"{row} against {against} ({common})" if common else f"{row} against {against}"


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
