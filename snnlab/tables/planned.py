"""A planned table: its cells, their runs, and which of these exist. No torch."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.config.origins import flatten
from snnlab.config.quoting import quoted
from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.runs.config_file import read_config
from snnlab.runs.identity import run_dir, run_dirs
from snnlab.runs.records import say_damaged
from snnlab.runs.results import Result, read_result, read_status
from snnlab.runs.reuse import stored_result
from snnlab.tables.table_file import Column, Row, Scale, TableFile


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
        return [f"paths.data={quoted(self.cfg.paths.data)}", *plugins, *which]

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


def _with_teachers(run: PlannedRun) -> Iterator[PlannedRun]:
    if run.waits is not None:
        yield from _with_teachers(run.waits)
    yield run
