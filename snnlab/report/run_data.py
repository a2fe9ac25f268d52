"""Reads a run's directory for its page: measurements, settings, environment."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from snnlab.config.origins import flatten
from snnlab.errors import ConfigError, SnnlabError
from snnlab.metric_names import known_at_each_step
from snnlab.report.stored_picture import StoredPicture
from snnlab.runs.config_file import read_config
from snnlab.runs.listing import progress
from snnlab.runs.overview import RunLine, run_line
from snnlab.runs.records import read_record, say_damaged
from snnlab.runs.results import is_environment, is_evaluation, read_metrics, read_result
from snnlab.runs.verify import verify
from snnlab.tmc_fixed_points import fixed_points_of


@dataclass(frozen=True)
class RunData:
    """A run directory with a result, or one of a run that has been measured and is not finished.

    Raises:
        ConfigError: it has neither, its result is damaged, or its configuration is.
    """

    folder: Path

    def __post_init__(self) -> None:
        if (self.folder / "result.json").exists() and read_result(self.folder) is None:
            raise ConfigError(
                f"{self.folder}: no finished run", "a page is made of a run whose result.json is whole"
            )
        read_config(self.folder)
        if not self.result.get("last"):
            raise ConfigError(
                f"{self.folder}: nothing has been measured yet", "a page is made of a run with an evaluation"
            )

    @cached_property
    def result(self) -> Mapping[str, Any]:
        """The content of result.json; of an unfinished run as much of it as is known."""
        stored = read_result(self.folder)
        if stored is not None:
            return stored
        line = self._line
        return {
            "experiment": str(line.config.get("experiment", self.folder.parent.parent.name)),
            "variant": self.folder.parent.name,
            "seed": line.config.get("seed"),
            "epochs": line.epoch,
            "last": {key: value for key, value in line.last.items() if key.startswith("test")},
            "selection": {"last": f"after epoch {line.last.get('epoch', 0)}"},
        }

    @cached_property
    def _line(self) -> RunLine:
        return run_line(self.folder)

    @cached_property
    def note(self) -> str:
        """`unfinished, running, epoch 3/16`; empty for a finished run."""
        if (self.folder / "result.json").exists():
            return ""
        return f"unfinished, {self._line.state}, epoch {progress(self._line)}"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings by their dotted keys."""
        return dict(flatten(read_config(self.folder)))

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        return read_record(self.folder / "env.json", is_environment) or {}

    @cached_property
    def evaluation(self) -> Mapping[str, Any]:
        """Reliability and confusion of the last evaluation; empty for a run that did not store them."""
        return read_record(self.folder / "evaluation.json", is_evaluation) or {}

    @cached_property
    def findings(self) -> list[str]:
        """What is wrong with the run's files, but for the checkpoints, which are not read; empty if they are whole."""
        return [str(one) for one in verify(self.folder, checkpoints=False)]

    @property
    def name(self) -> str:
        return f"{self.result.get('experiment', self.folder.parent.parent.name)}, seed {self.seed}"

    @property
    def seed(self) -> Any:
        return self.result.get("seed", self.config.get("seed"))

    @property
    def last(self) -> Mapping[str, Any]:
        return self.result.get("last") or {}

    @property
    def overrides(self) -> list[str]:
        """The run's command line without its verb."""
        file = self.folder / "overrides.txt"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        # It is stored without the plus sign of appended groups.
        return [f"+{line}" if line.startswith(("experiment=", "debug=")) else line for line in lines]

    @property
    def command(self) -> str:
        """The command that made the run; a converted or imported one names the run or the file that it is from."""
        conversion, imported = self.result.get("conversion"), self.result.get("imported")
        if conversion:
            return shlex.join(["convert", f"run={conversion['ann']}"])
        if imported:
            return shlex.join(["import", str(imported["file"]), *map(str, imported["settings"])])
        return shlex.join(["train", *self.overrides])

    @cached_property
    def origins(self) -> Mapping[str, str]:
        """Where each setting came from, by composing the stored command line again.

        A setting that is composed differently today has no origin.
        """
        from snnlab.config.compose import compose

        try:
            composed = compose(self.overrides)
        except SnnlabError:
            return {}
        today = dict(flatten(composed.mapping))
        texts = {key: origin.text for key, origin in composed.origins.items()}
        return {
            key: texts.get(key, "chosen by +experiment" if key == "experiment" else "default")
            for key, value in self.config.items()
            if today.get(key, value) == value or key.startswith("paths.")
        }

    def metric(self, name: str) -> float | None:
        """A metric of the last epoch."""
        value = self.last.get(f"test/{name}")
        return float(value) if isinstance(value, int | float) else None

    def over_time(self, name: str, reading: str) -> list[tuple[float, float]]:
        """A metric at each time step: `acc`, `cum` or `step`."""
        found = known_at_each_step(self.last, f"test/{name}_{reading}")
        return [(float(step), float(value)) for step, value in found.items()]

    def over_epochs(self, key: str) -> list[tuple[float, float]]:
        """A logged metric at each epoch."""
        return [
            (float(row["epoch"]), float(row[key]))
            for row in self._rows
            if isinstance(row.get(key), int | float) and math.isfinite(row[key])
        ]

    @cached_property
    def settles(self) -> Sequence[float]:
        """The cumulative confidence of each step at which the run's loss settles; empty if nothing is known of it."""
        bins = self.evaluation.get("reliability", {}).get("cum")
        settings = {key[5:]: value for key, value in self.config.items() if key.startswith("loss.")}
        if not bins:
            return ()
        classes = len(self.evaluation.get("classes") or ()) or 1
        found = fixed_points_of(settings.get("name", ""), settings, len(bins["count"]), classes)
        return () if found is None else found.cumulative

    @property
    def rates(self) -> dict[str, list[float]]:
        """Firing rate of each layer at each step."""
        found: dict[str, dict[int, float]] = {}
        for key, value in self.last.items():
            match = re.fullmatch(r"test/firing_rate/(.+)/t(\d+)", key)
            if match and value is not None:
                found.setdefault(match[1], {})[int(match[2])] = float(value)
        return {layer: [steps[step] for step in sorted(steps)] for layer, steps in found.items()}

    def pictures(self, *names: str) -> list[StoredPicture]:
        """Stored plots."""
        files = [self.folder / "plots" / f"{name}.png" for name in names]
        return [StoredPicture(file) for file in files if file.exists()]

    def analyses(self) -> list[StoredPicture]:
        """What `snnlab analyse` has drawn of the run."""
        return [StoredPicture(file) for file in sorted((self.folder / "analysis").glob("*.png"))]

    @cached_property
    def _rows(self) -> Sequence[Mapping[str, Any]]:
        return read_metrics(self.folder)


def find_runs(given: Path) -> list[RunData]:
    """The run in a directory, or all runs below it that were measured.

    Raises:
        ConfigError: there is none.
    """
    if not given.is_dir():
        raise ConfigError(f"report: no such directory: {given}", "give run directories, or a folder of runs")
    if (given / "config.yaml").exists():
        return [RunData(given)]
    found = []
    for folder in _run_folders(given):
        if not _is_measured(folder):
            continue
        try:
            found.append(RunData(folder))
        except ConfigError as error:
            say_damaged(folder, error.message)
    if not found:
        raise ConfigError(f"report: no run in {given}", "a run of which there is a page has an evaluation")
    return found


def unmeasured(given: Path) -> list[Path]:
    """The directories of runs below this one of which there is no evaluation yet."""
    return [folder for folder in _run_folders(given) if not _is_measured(folder)]


def _is_measured(folder: Path) -> bool:
    if (folder / "result.json").exists():
        return True
    return any(row.get("split") == "test" for row in read_metrics(folder))


def _run_folders(given: Path) -> list[Path]:
    return sorted(file.parent for file in given.rglob("config.yaml"))
