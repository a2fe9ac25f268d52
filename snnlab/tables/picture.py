"""Draws a filled table whose columns are points on an axis, such as time steps: T=1, T=2, ..."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.metric_names import METRICS
from snnlab.plots.table_curves import Curve, plot_table
from snnlab.tables.fill import Filled
from snnlab.tables.table_file import Column, Row

# `T=1`, `eps = 0.05`, or a number alone, as papers head the columns after the first.
PLACE = re.compile(r"(?:(?P<axis>[^=]+?)\s*=\s*)?(?P<at>\d+(?:\.\d+)?)")
AXES = {"T": "time step", "t": "time step"}


@dataclass(frozen=True)
class Place:
    """Where a column belongs.

    Args:
        panel: the quantity, or the group, that it shows.
        axis: what its number is of; empty: not said.
        at: the number.
    """

    panel: str
    axis: str
    at: float


def draw(filled: Filled, path: Path) -> Path:
    """A picture of the table: a panel for each quantity, a line for each row that has numbers.

    Args:
        filled: the table.
        path: PNG, PDF or SVG file to write.

    Raises:
        ConfigError: its columns are no points on an axis, or there are no numbers.
    """
    panels: dict[str, dict[float, Column]] = {}
    axis = ""
    for column in filled.table.columns:
        place = place_of(column)
        if place is not None:
            panels.setdefault(place.panel, {})[place.at] = column
            axis = axis or place.axis
    panels = {name: columns for name, columns in panels.items() if len(columns) > 1}
    if not panels:
        raise ConfigError(
            f"{filled.name}: no picture, its columns are not time steps or other numbers",
            "tmc_1 and twd_7 are such tables; the formats of all tables are md, latex, csv, html, json",
        )
    panels = {name: columns for name, columns in panels.items() if _rows(filled, columns.values())}
    rows = _rows(filled, [column for columns in panels.values() for column in columns.values()])
    if not rows:
        raise ConfigError(f"{filled.name}: no picture without numbers", f"snnlab table {filled.name} --run")
    curves = {name: [_curve(filled, row, columns) for row in rows] for name, columns in panels.items()}
    return plot_table(
        curves,
        path,
        title=f"{filled.table.source}, {filled.scale} scale",
        horizontal=AXES.get(axis, axis),
        note=filled.over_seeds.replace("+-", "\N{PLUS-MINUS SIGN}"),
    )


def place_of(column: Column) -> Place | None:
    """The panel and the point that a column's heading names; None where it names no point."""
    if column.of_settings:
        return None
    percent = " (%)" if column.unit == "percent" else ""
    if match := PLACE.fullmatch(column.group):
        return Place(column.name if "%" in column.name else f"{column.name}{percent}", *_point(match))
    if match := PLACE.fullmatch(column.name):
        # test/cece_step/t3, test/firing_rate/t3, measured/rows/3/acc
        *_, name = re.findall(r"[a-z]{3}[a-z_]*", re.sub(r"_(step|cum)/", "/", column.metric))
        label = METRICS[name].label if name in METRICS else name.replace("_", " ")
        quantity = f"{label}{percent}"
        return Place(f"{column.group}, {quantity}" if column.group else quantity, *_point(match))
    return None


def _rows(filled: Filled, columns: Collection[Column]) -> list[Row]:
    """Those that have numbers in any of the columns."""
    return [row for row in filled.table.rows if any(filled.cell(row, one).values for one in columns)]


def _point(match: re.Match[str]) -> tuple[str, float]:
    return match["axis"] or "", float(match["at"])


def _curve(filled: Filled, row: Row, columns: dict[float, Column]) -> Curve:
    found = {at: filled.cell(row, column) for at, column in columns.items()}
    comparable = filled.scale == "full"
    return Curve(
        row.name,
        {at: one.mean for at, one in found.items() if one.mean is not None},
        {at: one.std for at, one in found.items() if one.std is not None},
        {at: one.published[0] for at, one in found.items() if comparable and one.published[0] is not None},
    )
