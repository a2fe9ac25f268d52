"""Plans a table: composes every cell's configuration. No torch."""

import dataclasses
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from snnlab.config.compose import compose_with, loader
from snnlab.config.overrides import read_overrides
from snnlab.config.quoting import quoted
from snnlab.config.schema import RunConfig
from snnlab.config.search import SearchPath
from snnlab.config.trust import override_key, plugins_named
from snnlab.errors import ConfigError, DataError
from snnlab.runs.data_check import with_data
from snnlab.runs.load import checked
from snnlab.tables.planned import Cell, Plan, PlannedRun
from snnlab.tables.refuse_code import refuse_code
from snnlab.tables.scales import at_scale
from snnlab.tables.table_file import Run, Scale, TableFile


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
                    lines = (*lines, f"distill.teacher={quoted(teacher.folder)}")
            cfg = self._with_data(self.config(lines))
        except ConfigError as error:
            if f"(row {row})" in error.hint:  # of the teacher
                raise
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
