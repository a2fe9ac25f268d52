"""The schema of `conf/table/*.yaml`: a published table, or a figure, as data. The dataclasses are the schema."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Scale = Literal["full", "converged", "short", "smoke"]
Selection = Literal["last", "best"]
SCALES: tuple[Scale, ...] = ("full", "converged", "short", "smoke")
UNITS: Mapping[str, float] = {"percent": 100.0, "fraction": 1.0, "plain": 1.0}
DIGITS: Mapping[str, int] = {"percent": 2, "fraction": 4, "plain": 2}


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run that fills cells: an experiment with overrides, and the commands that follow it."""

    experiment: str
    """Name in conf/experiment."""
    overrides: tuple[str, ...] = ()
    """In Hydra's syntax, on top of the experiment."""
    teacher: "Run | None" = None
    """Trained first; its run directory becomes distill.teacher."""
    convert: tuple[str, ...] = ()
    """Settings of a `snnlab convert` of the finished run; `converted/...` is in the result of what it makes."""
    measure: str = ""
    """A further command on the finished (or converted) run, without its run=, such as `eval num_steps=1..6`."""
    measured: str = ""
    """Pattern of the file it leaves in the run directory; `measured/...` looks there."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of numbers."""

    name: str
    """As the paper prints it."""
    group: str = ""
    """The heading above several columns, such as `T=1`."""
    metric: str = "test/acc"
    """`test/...` (a pattern: mean of what fits), `train/...`, or `result/`, `config/`, `converted/`, `measured/`."""
    unit: Literal["percent", "fraction", "plain"] = "percent"
    """How the number is printed; percent: the metric is a fraction."""
    times: float = 1.0
    """A further factor, such as 1e-6 for millions."""
    digits: int | None = None
    """Digits after the point, as the paper prints them; null: 2 of percent and plain, 4 of a fraction."""
    better: Literal["higher", "lower", "neither"] = "higher"
    """Which way is an improvement."""
    run: str = "run"
    """Which of a row's `runs` fills this column."""
    overrides: tuple[str, ...] = ()
    """On top of the row's, for columns that differ in a setting."""

    @property
    def label(self) -> str:
        """Its full name, unique in the table."""
        return f"{self.group} {self.name}".strip()

    @property
    def factor(self) -> float:
        return UNITS[self.unit] * self.times

    @property
    def of_settings(self) -> bool:
        """True where the number is a setting of the run, which is known without running it."""
        return self.metric.startswith("config/")

    @property
    def places(self) -> int:
        return DIGITS[self.unit] if self.digits is None else self.digits


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: a method of the paper's own or one that it cites."""

    labels: tuple[str, ...]
    """One for each of the table's `labels`."""
    published: tuple[float | str | None, ...] = ()
    """One for each column: a number, `mean +- deviation`, or null where the paper prints none."""
    run: Run | None = None
    """What fills all cells of the row."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    """What fills the cells, by the name that the columns give in their `run`."""
    cited: bool = False
    """The paper takes the row from another work; it is not run."""
    missing: str = ""
    """Why the row cannot be run here yet."""
    missing_columns: Mapping[str, str] = field(default_factory=dict)
    """The same for single columns, by their label."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Footnotes: column label, or `row`, to the footnote's key."""

    @property
    def name(self) -> str:
        return ", ".join(label for label in self.labels if label)

    def run_of(self, column: Column) -> Run | None:
        return self.run or self.runs.get(column.run)

    def why_missing(self, column: Column) -> str:
        return self.missing or self.missing_columns.get(column.label, "")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two methods whose seeds are compared in pairs."""

    row: str
    """The name of the row that is claimed to be better."""
    against: tuple[str, ...]
    """The rows that it is compared with."""
    columns: tuple[str, ...] = ()
    """Labels of the columns; empty: all."""


@dataclass(frozen=True, kw_only=True)
class ScaleChange:
    """How a smaller scale differs from the paper's recipe."""

    data: str = ""
    """What stands in for the published data set, for the reader; empty: the published one."""
    epochs: float | None = None
    """Factor of the epochs, and with them of warm-up and milestones; null: as they are."""
    overrides: tuple[str, ...] = ()
    """On top of every cell's."""
    experiments: Mapping[str, Run] = field(default_factory=dict)
    """Experiments, with overrides, that stand in for a row's; the row's own overrides come after theirs."""
    rows: tuple[str, ...] = ()
    """The rows that have runs at this scale; empty: all."""
    columns: tuple[str, ...] = ()
    """Labels of the columns that have runs at this scale; empty: all."""
    seeds: tuple[int, ...] = ()
    """Instead of the table's; empty: the table's."""
    draw: tuple[str, ...] = ()
    """Instead of the table's; empty: the table's."""

    def covers(self, row: Row, column: Column) -> bool:
        return (not self.rows or row.name in self.rows) and (not self.columns or column.label in self.columns)


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """A table or figure."""

    title: str
    """The paper's caption, shortened."""
    source: str
    """Paper and number."""
    labels: tuple[str, ...] = ("Method",)
    """Headings of the columns of words."""
    columns: tuple[Column, ...] = ()
    """The columns of numbers; a figure may have none."""
    rows: tuple[Row, ...] = ()
    """From top to bottom."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of every cell."""
    overrides: tuple[str, ...] = ()
    """Of every cell."""
    selection: Selection = "last"
    """The epoch that is reported: the last, or the best on the test split."""
    compare: tuple[Comparison, ...] = ()
    """Paired tests over the seeds."""
    footnotes: Mapping[str, str] = field(default_factory=dict)
    """By their keys, which the `notes` of rows give."""
    remarks: tuple[str, ...] = ()
    """What is to be said about the whole, without a key."""
    scales: Mapping[str, ScaleChange] = field(default_factory=dict)
    """For `converged`, `short` and `smoke`; a table without the first has no runs at it."""
    draw: tuple[str, ...] = ()
    """A figure's commands, once its runs are there: snnlab's, or `python -m ...`.

    {run} is each run's directory, {runs} all, {name} the file to write, without its ending.
    """

    def draw_at(self, scale: Scale) -> tuple[str, ...]:
        change = self.scales.get(scale)
        return (change.draw if change else ()) or self.draw

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    @cached_property
    def cells(self) -> Sequence[tuple[Row, Column]]:
        return [(row, column) for row in self.rows for column in self.columns]

    @property
    def of_settings(self) -> bool:
        """True for a table without measurements."""
        return bool(self.columns) and all(column.of_settings for column in self.columns)

    def column(self, label: str) -> Column:
        return next(column for column in self.columns if column.label == label)


def parse_published(value: float | str | None) -> tuple[float | None, float | None]:
    """Mean and standard deviation of a published value; None where there is none.

    Raises:
        ValueError: a text that is neither a number nor `mean +- deviation`.
    """
    if value is None:
        return None, None
    if isinstance(value, int | float):
        return float(value), None
    match = re.fullmatch(r"\s*(-?[\d.]+)\s*(?:\+-\s*([\d.]+))?\s*", value)
    if not match:
        raise ValueError(f"expected a number or 'mean +- deviation', got '{value}'")
    return float(match[1]), float(match[2]) if match[2] else None
