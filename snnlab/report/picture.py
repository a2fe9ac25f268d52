"""Draws a filled table whose columns are time steps."""

import re
from pathlib import Path

from snnlab.analysis.table_curves import Curve, plot_table
from snnlab.errors import ConfigError
from snnlab.report.fill import Filled
from snnlab.report.table_file import Column, Row

# The step in a metric: acc_step/t3, rows/3/acc.
STEP = re.compile(r"/t?(\d+)(?=/|$)")


def draw(filled: Filled, path: Path) -> Path:
    """A picture of the table: a panel for each quantity, a line for each row that has numbers.

    Args:
        filled: the table.
        path: PNG file to write.

    Raises:
        ConfigError: its columns are not time steps, or there are no numbers.
    """
    panels: dict[str, list[Column]] = {}
    for column in filled.table.columns:
        if STEP.search(column.metric):
            panels.setdefault(STEP.sub("", column.metric, count=1), []).append(column)
    if not panels:
        raise ConfigError(
            f"{filled.name}: no picture, its columns are not time steps",
            "tmc_1 and twd_7 are such tables; the formats of all tables are md, latex, csv, html, json",
        )
    over_time = [column for columns in panels.values() for column in columns]
    rows = [row for row in filled.table.rows if any(filled.cell(row, one).values for one in over_time)]
    if not rows:
        raise ConfigError(f"{filled.name}: no picture without numbers", f"snnlab table {filled.name} --run")
    curves = {
        _heading(columns): [_curve(filled, row, columns) for row in rows] for columns in panels.values()
    }
    return plot_table(curves, path, title=f"{filled.table.source}, {filled.scale} scale")


def _heading(columns: list[Column]) -> str:
    """The part of the columns' names that is the same in all."""
    first, last = columns[0], columns[-1]
    name = first.name if first.name == last.name else first.group
    return f"{name} (%)" if first.unit == "percent" else name


def _curve(filled: Filled, row: Row, columns: list[Column]) -> Curve:
    found = {_step(column): filled.cell(row, column) for column in columns}
    comparable = filled.scale == "full"
    return Curve(
        row.name,
        {step: one.mean for step, one in found.items() if one.mean is not None},
        {step: one.std for step, one in found.items() if one.std is not None},
        {
            step: one.published[0]
            for step, one in found.items()
            if comparable and one.published[0] is not None
        },
    )


def _step(column: Column) -> int:
    match = STEP.search(column.metric)
    assert match is not None
    return int(match[1])
