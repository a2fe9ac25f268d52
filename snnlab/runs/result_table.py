"""The end of a run on the terminal: a table per time step, the run directory and the plots.

Reads flat metric names only (`test/acc_step/t3`, `test/ece_cum/t3`), so a stored result prints too.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from snnlab.metric_names import ACC, NLL, OF_CALIBRATION, READINGS, MetricName, at_each_step

COLUMNS = (ACC, *OF_CALIBRATION, NLL)
PLAIN_WIDTH = 120
MAX_ROWS = 20


def result_table(
    metrics: Mapping[str, float | None],
    *,
    title: str = "",
    prefix: str = "test",
    run_dir: Path | None = None,
    plots: Sequence[Path] = (),
) -> RenderableType:
    """Accuracy (percent) and calibration errors (fractions) at every time step, then where the files are.

    The layout depends on the terminal's width: single-step and cumulative results are side by side in a wide one,
    one below the other in a narrower one, and in a very narrow one columns are dropped from the right; without a
    terminal it is plain text. Of more than 20 steps it shows evenly spaced ones, and the last.

    Args:
        metrics: flat metrics of one evaluation; None for a value that is not defined.
        title: first line, e.g. the run's name and the selection rule.
        prefix: first part of the metric names.
        run_dir: the run directory to name.
        plots: files to name.
    """
    return _ResultTable(metrics, title, prefix, run_dir, plots)


@dataclass(frozen=True)
class _ResultTable:
    metrics: Mapping[str, float | None]
    title: str
    prefix: str
    run_dir: Path | None
    plots: Sequence[Path]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = not console.is_terminal
        width = max(PLAIN_WIDTH, options.max_width) if plain else options.max_width
        if self.title:
            yield Text(self.title, style="bold")
        tables = []
        for view, name in READINGS.items():
            table = _widest_that_fits(self.metrics, f"{self.prefix}/", view, name, plain, width, console)
            tables += [] if table is None else [table]
        if tables and sum(_width(table, console) + 4 for table in tables) <= width:
            side_by_side = Table.grid(padding=(0, 4, 0, 0))
            side_by_side.add_row(*tables)
            tables = [side_by_side]
        for index, table in enumerate(tables):
            if index > 0:
                yield Text()
            yield from console.render(table, options.update(width=width))
        if self.run_dir is not None:
            yield _path_line("run", self.run_dir)
        for index, plot in enumerate(self.plots):
            yield _path_line("plots" if index == 0 else "", plot)


def _widest_that_fits(
    metrics: Mapping[str, float | None],
    prefix: str,
    view: str,
    name: str,
    plain: bool,
    width: int,
    console: Console,
) -> Table | None:
    """The table of one view, with as many columns as fit; None if the metrics have no such view."""
    steps = list(at_each_step(metrics, f"{prefix}{ACC.key}_{view}"))
    columns = [column for column in COLUMNS if at_each_step(metrics, f"{prefix}{column.key}_{view}")]
    for count in range(len(columns), 0, -1):
        table = _table(metrics, prefix, view, name, steps, columns[:count], plain)
        if count == 1 or _width(table, console) <= width:
            return table
    return None


def _table(
    metrics: Mapping[str, float | None],
    prefix: str,
    view: str,
    name: str,
    steps: Sequence[int],
    columns: Sequence[MetricName],
    plain: bool,
) -> Table:
    shown = steps
    if len(steps) > MAX_ROWS:
        shown = [steps[k * len(steps) // MAX_ROWS - 1] for k in range(1, MAX_ROWS + 1)]
    table = Table(
        title=name if len(shown) == len(steps) else f"{name}, {len(shown)} of {len(steps)} steps",
        title_justify="left",
        title_style="italic",
        box=None if plain else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("t", justify="right", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for step in shown:
        cells = [_cell(one, metrics.get(f"{prefix}{one.key}_{view}/t{step}")) for one in columns]
        # The cumulative mean at the last step is the result that papers quote.
        quoted = view == "cum" and step == steps[-1]
        table.add_row(str(step), *cells, style="bold" if quoted else None)
    return table


def _width(table: Table, console: Console) -> int:
    """The natural width of the table in characters, regardless of the terminal."""
    return Measurement.get(console, console.options.update(width=10 * PLAIN_WIDTH), table).maximum


def _cell(metric: MetricName, value: float | None) -> str:
    return "-" if value is None else metric.number(value)


def _path_line(label: str, path: Path) -> Text:
    """A path as a user would type it (relative if below the current folder), never cut or wrapped."""
    relative = os.path.relpath(path)
    shown = str(path) if relative.startswith(os.pardir) else relative
    return Text.assemble((f"{label:5}  ", "bold"), shown, no_wrap=True, overflow="ignore")
