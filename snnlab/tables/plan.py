"""Plans a table: composes every cell's configuration, and finds the runs that exist. No torch."""

import dataclasses
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from snnlab.config.compose import compose_with, loader
from snnlab.config.origins import flatten
from snnlab.config.overrides import read_overrides
from snnlab.config.schema import RunConfig
from snnlab.config.search import SearchPath
from snnlab.config.trust import override_key, plugins_named
from snnlab.errors import ConfigError, DataError
from snnlab.runs.config_file import read_config
from snnlab.runs.data_check import with_data
from snnlab.runs.identity import run_dir, run_dirs
from snnlab.runs.load import checked
from snnlab.runs.records import say_damaged
from snnlab.runs.results import Result, read_result, read_status
from snnlab.runs.reuse import stored_result
from snnlab.tables.refuse_code import refuse_code
from snnlab.tables.scales import at_scale
from snnlab.tables.table_file import Column, Row, Run, Scale, TableFile


@dataclass(frozen=True)
class PlannedRun:
    """A run that a table needs; it may wait until its teacher is trained.

    Args:
        overrides: the arguments of `snnlab train`, including the seed.
        cfg: the checked config.
        waits: the teacher's run, while it is not done: until then this run's directory is not known.
        convert: settings of a conversion of the finished run; empty: none.
        measure: a further command on the finished run, or the converted one; empty: none.
        measured: pattern of the file that it leaves.
        checkpoint: `last` or `best`: which weights are converted and measured.
    """

    overrides: tuple[str, ...]
    cfg: RunConfig
    waits: "PlannedRun | None" = None
    convert: tuple[str, ...] = ()
    measure: str = ""
    measured: str = ""
    checkpoint: str = "last"

    @property
    def folder(self) -> Path:
        """The run's directory: its own, or that of an equal run of another experiment that is done."""
        own = run_dir(self.cfg)
        if self.waits is None and not (own / "result.json").exists():
            for name in run_dirs(self.cfg):
                for data in ("", "-*") if self.cfg.data is None else ("",):
                    for other in self.cfg.paths.runs.glob(
                        f"*/{name.parent.name}{data}/{name.name}/result.json"
                    ):
                        return other.parent
        return own

    @property
    def result(self) -> Result | None:
        """The result of the run with these settings, or None."""
        return stored_result(self.cfg, self.folder)

    @property
    def converted(self) -> Path | None:
        """The directory of the run that was converted from this one with the settings of `convert`."""
        wanted = dict(one.split("=", 1) for one in self.convert)
        folder = self.folder
        for file in folder.parents[1].glob(f"*/{folder.name}/result.json"):
            conversion = (read_result(file.parent) or {}).get("conversion", {})
            if Path(conversion.get("ann", "")) != folder or conversion.get("checkpoint") != self.checkpoint:
                continue
            try:
                settings = dict(flatten(read_config(file.parent)))
            except ConfigError as error:
                say_damaged(file.with_name("config.yaml"), error.message)
                continue
            if all(str(settings.get(key)) == value for key, value in wanted.items()):
                return file.parent
        return None

    @property
    def subject(self) -> Path | None:
        """The directory that the table and `measure` refer to: the run's, or that of the run converted from it."""
        return self.converted if self.convert else self.folder

    @property
    def about_it(self) -> list[str]:
        """Arguments of a command on the finished run: the folder of the data, packages, and which weights."""
        # The folder of the data is a setting of the machine and is not stored with a run.
        which = [f"checkpoint={self.checkpoint}"] if self.checkpoint != "last" else []
        plugins = [f"plugins=[{','.join(self.cfg.plugins)}]"] if self.cfg.plugins else []
        return [f"paths.data={self.cfg.paths.data}", *plugins, *which]

    @property
    def kept_file(self) -> Path | None:
        """The copy of the further command's result, under a name that contains the whole command.

        The command's own file may have been overwritten by another call, with other noise or thresholds.
        """
        subject = self.subject
        if subject is None or not self.measure:
            return None
        digest = hashlib.sha256(f"{self.measure} {self.checkpoint}".encode()).hexdigest()[:8]
        return subject / "measured" / f"{digest}{Path(self.measured).suffix}"

    @property
    def measured_file(self) -> Path | None:
        """The copy of the further command's result, if it exists and is newer than the run's result."""
        file = self.kept_file
        if file is None or not file.exists():
            return None
        result = file.parents[1] / "result.json"
        return file if result.exists() and file.stat().st_mtime >= result.stat().st_mtime else None

    @property
    def state(self) -> str:
        """done | unmeasured | running | interrupted | failed | missing | waits."""
        if self.waits is not None:
            return "waits"
        if self.result is not None:
            lacks = self.subject is None or (self.measure and self.measured_file is None)
            return "unmeasured" if lacks else "done"
        known = {"failed": "failed", "preempted": "interrupted", "running": "running"}
        return known.get(read_status(self.folder).get("status", ""), "missing")


@dataclass(frozen=True)
class Cell:
    """A cell with its runs.

    Args:
        row: its row.
        column: its column.
        runs: one for each seed; none for a cited or missing cell.
        why: the reason why it is not run: `cited`, or why it is missing.
    """

    row: Row
    column: Column
    runs: tuple[PlannedRun, ...]
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """A table at a scale, with the runs of all its cells."""

    name: str
    table: TableFile
    scale: Scale
    seeds: tuple[int, ...]
    by_hand: tuple[str, ...]
    cells: tuple[Cell, ...]
    of_figure: tuple[PlannedRun, ...] = ()

    @property
    def runs(self) -> list[PlannedRun]:
        """Every run once, teachers before their students."""
        found: dict[Any, PlannedRun] = {}
        for run in self._own_runs:
            for one in _with_teachers(run):
                key = (one.waits and run_dir(one.waits.cfg), run_dir(one.cfg), one.convert, one.measure)
                found.setdefault(key, one)
        return list(found.values())

    @property
    def subjects(self) -> list[Path]:
        """The directories of all that is done, for a figure's commands."""
        runs = [run for run in self._own_runs if run.state == "done"]
        return list(dict.fromkeys(run.subject for run in runs if run.subject))

    @property
    def _own_runs(self) -> list[PlannedRun]:
        """The runs of measured cells and figures, without teachers; a run that fills several cells is repeated."""
        measured = (cell.runs for cell in self.cells if not cell.column.of_settings)
        return [*(run for runs in measured for run in runs), *self.of_figure]

    @property
    def missing(self) -> dict[str, list[str]]:
        """Why cells cannot be filled by the project: each reason with its rows."""
        found: dict[str, list[str]] = {}
        for cell in self.cells:
            why = cell.row.why_missing(cell.column) or (
                cell.why if cell.why.startswith("there is no") else ""
            )
            if why and cell.row.name not in found.setdefault(why, []):
                found[why].append(cell.row.name)
        for row in self.table.rows if not self.cells else ():
            if row.missing:
                found.setdefault(row.missing, []).append(row.name)
        return found


class Planner:
    """Composes cells; one set-up of Hydra serves all tables. A context manager.

    Args:
        config_dirs: further folders shaped like conf/.
        prepare: prepares data that are not found, as archives are. A run on data that are not there is one with the
            same settings, whatever its data.
        plugins: packages that the command line names.
    """

    def __init__(
        self,
        config_dirs: Sequence[str | Path] = (),
        *,
        prepare: bool = False,
        plugins: Collection[str] = (),
    ) -> None:
        self.prepare = prepare
        self.search = SearchPath.of(config_dirs, plugins)
        self._experiments = frozenset(self.search.options("experiment"))
        self._known: dict[tuple[str, ...], RunConfig] = {}

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._loader = self._stack.enter_context(loader(self.search))
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def config(self, overrides: Sequence[str]) -> RunConfig:
        """The checked config of a command line; raises ConfigError if it is wrong."""
        key = tuple(overrides)
        if key not in self._known:
            read = read_overrides(overrides, self.search)
            self._known[key] = checked(compose_with(self._loader, read, self.search))
        return self._known[key]

    def label(self, name: str) -> str:
        """The file of a table, as messages show it."""
        file = self.search.file(f"table/{name.replace('-', '_')}")
        return name if file is None else self.search.label(file)

    def plan(
        self,
        name: str,
        table: TableFile,
        scale: Scale = "full",
        seeds: Sequence[int] = (),
        by_hand: Sequence[str] = (),
    ) -> Plan:
        """All cells of a table at a scale.

        Args:
            name: the table's.
            table: its content.
            scale: full | converged | short | smoke.
            seeds: instead of the table's.
            by_hand: overrides on top of every cell's.

        Raises:
            ConfigError: a cell's config is wrong, and the hint names the row; or the table would run code that the
                overrides by hand do not name.
        """
        refuse_code(table, self.label(name), plugins_named(by_hand))
        if table.of_settings:
            # Nothing is run, and the settings to compare are those of the paper's recipe.
            scale = "full"
        change = table.scales.get(scale)
        seeds = (
            tuple(seeds) or (change.seeds if change else ()) or ((0,) if scale == "smoke" else table.seeds)
        )
        cells: list[Cell] = []
        for row, column in table.cells:
            run, why = row.run_of(column), row.why_missing(column)
            if not row.cited and not (change.covers(row, column) if change else scale != "converged"):
                why = why or f"not at the {scale} scale"
            why = why or self._unknown(run)
            if row.cited or why or run is None:
                cells.append(Cell(row, column, (), "cited" if row.cited else why or "not in the paper"))
                continue
            planned = self._planned(table, run, column.overrides, scale, seeds, by_hand, row.name)
            cells.append(Cell(row, column, planned))
        of_figure: list[PlannedRun] = []
        drawn = not table.columns and (change is not None or scale != "converged")
        for row in table.rows if drawn else ():
            for run in [row.run] if row.run else list(row.runs.values()):
                if self._unknown(run):
                    continue
                of_figure.extend(self._planned(table, run, (), scale, seeds, by_hand, row.name))
        return Plan(
            name.replace("-", "_"), table, scale, seeds, tuple(by_hand), tuple(cells), tuple(of_figure)
        )

    def _with_data(self, cfg: RunConfig) -> RunConfig:
        try:
            return with_data(cfg, prepare=self.prepare)
        except DataError:
            return cfg  # the run's own process says so, and other cells are not stopped

    def _unknown(self, run: Run | None) -> str:
        """Why a run is not possible, if its experiment or its teacher's does not exist."""
        for one in (run, run.teacher if run else None):
            if one is not None and one.experiment not in self._experiments:
                return f"there is no experiment {one.experiment}"
        return ""

    def _planned(
        self,
        table: TableFile,
        run: Run,
        more: tuple[str, ...],
        scale: Scale,
        seeds: Sequence[int],
        by_hand: Sequence[str],
        row: str,
    ) -> tuple[PlannedRun, ...]:
        try:
            # A cell's own configuration is composed before the overrides by hand, which name its packages.
            plugins = [one for one in by_hand if override_key(one) == "plugins"]
            lines = at_scale(lambda own: self.config((*own, *plugins)), table, run, more, scale, by_hand)
            teacher = None
            if run.teacher is not None:
                (teacher,) = self._planned(table, run.teacher, (), scale, (0,), by_hand, row)
                if teacher.state == "done":
                    lines = (*lines, f"distill.teacher={teacher.folder}")
            cfg = self._with_data(self.config(lines))
        except ConfigError as error:
            raise ConfigError(error.message, f"{error.hint} (row {row})".strip()) from None
        waits = teacher if teacher is not None and teacher.state != "done" else None
        planned = []
        for seed in seeds:
            seeded = dataclasses.replace(cfg, seed=seed, raw={**cfg.raw, "seed": seed})
            line = (*lines, f"seed={seed}")
            planned.append(
                PlannedRun(line, seeded, waits, run.convert, run.measure, run.measured, table.selection)
            )
        return tuple(planned)


def _with_teachers(run: PlannedRun) -> Iterator[PlannedRun]:
    if run.waits is not None:
        yield from _with_teachers(run.waits)
    yield run
