"""Fills a table: mean and deviation over seeds, difference to the published value, verdict, paired tests."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snnlab.errors import ConfigError
from snnlab.runs.verify import verify
from snnlab.tables.cell_values import cell_value
from snnlab.tables.planned import Plan
from snnlab.tables.provenance import deciding, provenance
from snnlab.tables.table_file import Column, Comparison, Row, Scale, TableFile, parse_published

# Two standard errors count as agreement, and at least this much (percent points, fractions).
TOLERANCE: Mapping[str, float] = {"percent": 0.5, "fraction": 0.01, "plain": 0.0}
SIGNIFICANT = 0.05
NO_NUMBER = "not measured by its run"


@dataclass(frozen=True)
class FilledCell:
    """A cell with the measured values, in the unit of the table.

    Args:
        row: its row.
        column: its column.
        published: the paper's mean and deviation.
        values: measured, by seed.
        wanted: number of seeds.
        why: the reason why the cell is empty, if it is.
        scale: scale of the runs.
    """

    row: Row
    column: Column
    published: tuple[float | None, float | None]
    values: Mapping[int, float]
    wanted: int
    why: str
    scale: Scale

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def std(self) -> float | None:
        """Of a sample: divided by n - 1."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    @property
    def difference(self) -> float | None:
        published, mean = self.published[0], self.mean
        return None if published is None or mean is None else mean - published

    @property
    def verdict(self) -> str:
        """The comparison of the measured with the published value, in words."""
        if self.mean is None:
            return "not possible here yet" if self.row.why_missing(self.column) else self.why
        missing = "" if len(self.values) >= self.wanted else f"{len(self.values)} of {self.wanted} seeds; "
        if self.difference is None:
            return f"{missing}nothing published"
        if self.column.of_settings:
            return "as published" if abs(self.difference) < 1e-12 else "differs"
        if self.scale != "full":
            return f"{missing}not comparable: {self.scale} scale"
        if abs(self.difference) <= self._tolerance():
            return f"{missing}agrees"
        if self.column.better == "neither":
            return f"{missing}differs"
        better = (self.difference > 0) == (self.column.better == "higher")
        return f"{missing}{'better' if better else 'worse'} than published"

    def _tolerance(self) -> float:
        rounding = 0.5 * 10.0**-self.column.places
        error = math.hypot(self.std or 0.0, self.published[1] or 0.0) / math.sqrt(len(self.values))
        return max(rounding, 2 * error, TOLERANCE[self.column.unit])


@dataclass(frozen=True)
class Tested:
    """Two rows in one column, compared over their common seeds.

    Args:
        row: the row that the paper claims to be better.
        against: the other row.
        column: the column.
        difference: mean of `row` minus that of `against`, in the unit of the table.
        p: p value of the two-sided paired t test; None with fewer than two seeds, or if all differences are equal.
        n: number of common seeds.
        published: the difference in the paper.
        verdict: better | worse | no difference shown | not tested.
    """

    row: str
    against: str
    column: str
    difference: float
    p: float | None
    n: int
    published: float | None
    verdict: str


@dataclass(frozen=True)
class Filled:
    """A table that has been filled as far as there are runs.

    Args:
        name: the table's.
        table: its content.
        scale: of all its runs.
        seeds: that were asked for.
        by_hand: overrides added to every cell's.
        cells: row by row.
        data: the data used in place of the published ones, in words; empty: the published data.
        runs: the provenance of the numbers: a mapping for each run.
        damaged: the runs among these whose files are not whole; their checkpoints are not read for it.
    """

    name: str
    table: TableFile
    scale: Scale
    seeds: tuple[int, ...]
    by_hand: tuple[str, ...]
    cells: tuple[FilledCell, ...]
    data: str = ""
    runs: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    damaged: Sequence[str] = ()

    def cell(self, row: Row, column: Column) -> FilledCell:
        return next(one for one in self.cells if one.row is row and one.column is column)

    @property
    def over_seeds(self) -> str:
        """The seeds that a number is averaged over, in words."""
        seeds = ", ".join(map(str, self.seeds))
        return (
            f"mean +- standard deviation over the seeds {seeds}" if len(self.seeds) > 1 else f"seed {seeds}"
        )

    @property
    def without_number(self) -> list[FilledCell]:
        """Cells whose runs are done but do not have the number: the table names a metric that is not measured."""
        return [cell for cell in self.cells if cell.why == NO_NUMBER]

    @property
    def splits(self) -> list[str]:
        """The data sets and splits of the measurements, in words."""
        return list(dict.fromkeys(str(one["measured_on"]) for one in self.runs))

    @property
    def train_accuracies(self) -> list[float]:
        """How well each run knew its training samples in its last epoch, in percent, from the lowest on."""
        known = (one.get("train_acc") for one in self.runs)
        return sorted(100 * accuracy for accuracy in known if accuracy is not None)

    @property
    def tests(self) -> list[Tested]:
        """All comparisons that the table names, where there are runs of both."""
        return [
            tested
            for comparison in self.table.compare
            for against in comparison.against
            for column in self._columns(comparison)
            if (tested := self._tested(comparison.row, against, column)) is not None
        ]

    def _columns(self, comparison: Comparison) -> list[Column]:
        return [
            one for one in self.table.columns if not comparison.columns or one.label in comparison.columns
        ]

    def _tested(self, row: str, against: str, column: Column) -> Tested | None:
        a, b = (self.cell(self.table.row(name), column) for name in (row, against))
        common = [seed for seed in a.values if seed in b.values]
        if not common:
            return None
        differences = [a.values[seed] - b.values[seed] for seed in common]
        published = (a.published[0], b.published[0])
        p = paired_t_test(differences)
        mean = statistics.fmean(differences)
        if p is None or self.scale == "smoke":
            verdict = "not tested"
        elif p >= SIGNIFICANT:
            verdict = "no difference shown"
        elif column.better == "neither":
            verdict = "differs"
        else:
            verdict = "better" if (mean > 0) == (column.better == "higher") else "worse"
        in_paper = None if None in published else published[0] - published[1]  # type: ignore[operator]
        return Tested(row, against, column.label, mean, p, len(common), in_paper, verdict)


def paired_t_test(differences: Sequence[float]) -> float | None:
    """Two-sided p that the mean difference is zero; None where it is not defined."""
    # Accuracies in steps of one sample differ by equal amounts but for rounding, which is no spread.
    if len(differences) < 2 or math.isclose(min(differences), max(differences), rel_tol=1e-9, abs_tol=1e-12):
        return None
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(differences, 0.0).pvalue)


def fill(plan: Plan) -> Filled:
    """Fills a table from the run directories of its plan."""
    runs: dict[str, dict[str, Any]] = {}
    cells = []
    for cell in plan.cells:
        values = {}
        for run in cell.runs:
            value = cell_value(run, cell.column.metric, plan.table.selection)
            if value is not None:
                values[run.cfg.seed] = cell.column.factor * value
                if not cell.column.of_settings:
                    runs.setdefault(str(run.folder), provenance(run, cell.row.name))
        why = cell.why or ("" if values else _why([run.state for run in cell.runs]))
        cells.append(filled_cell(plan.table, cell.row, cell.column, values, len(cell.runs), why, plan.scale))
    return Filled(
        plan.name,
        plan.table,
        plan.scale,
        plan.seeds,
        deciding(plan.by_hand),
        tuple(cells),
        _data(plan.table, plan.scale),
        list(runs.values()),
        [one["run"] for folder, one in runs.items() if not _is_whole(Path(folder))],
    )


def _is_whole(folder: Path) -> bool:
    try:
        return not verify(folder, checkpoints=False)
    except ConfigError:  # it has lost its configuration
        return False


def _data(table: TableFile, scale: Scale) -> str:
    change = table.scales.get(scale)
    if change is not None and change.data:
        return change.data
    return "two training steps on embedded or generated data" if scale == "smoke" else ""


def filled_cell(
    table: TableFile,
    row: Row,
    column: Column,
    values: Mapping[int, float],
    wanted: int,
    why: str,
    scale: Scale,
) -> FilledCell:
    """A cell with its published value."""
    published = parse_published(row.published[table.columns.index(column)])
    return FilledCell(row, column, published, values, wanted, why, scale)


def _why(states: Sequence[str]) -> str:
    if "waits" in states:
        return "not run: its teacher comes first"
    known = {
        "failed": "failed",
        "running": "runs elsewhere",
        "interrupted": "interrupted",
        "unmeasured": "trained, not measured yet",
        "done": NO_NUMBER,
    }
    return next((known[state] for state in states if state in known), "not run")
