"""What a job of one of Hydra's own launchers says to its sweep, perhaps from another process: a small file for each."""

import json
import os
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

from snnlab.atomic import write_text
from snnlab.runs.records import read_record

ENDING = ".job.json"
KEPT = 4000  # letters of what a job wrote last


@dataclass(frozen=True)
class Outcome:
    """How a job stands, or how it ended.

    Args:
        overrides: its settings.
        config_dirs: further folders of configurations.
        exit_code: as that of a process; None while it runs.
        reason: why it failed, in a line.
        run: its run directory.
        log: the file with its output; empty if there is none.
        host: the machine.
        elsewhere: another process that works on the run, for which it waits.
        seconds: how long it took; 0 of one that was done before.
    """

    overrides: tuple[str, ...]
    config_dirs: tuple[str, ...]
    exit_code: int | None
    reason: str
    run: str = ""
    log: str = ""
    host: str = ""
    elsewhere: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcomes:
    """What the jobs of one sweep and the sweep say to each other, in the folder of its logs.

    Args:
        folder: absolute, as a job may have another working directory.
        sweep: what tells them from those of earlier sweeps.
    """

    folder: Path
    sweep: str = field(default_factory=lambda: f"{os.getpid()} {time.time()}")

    def write(self, run: Path, outcome: Outcome) -> None:
        """Leaves how the job with this run directory stands."""
        file = self.file(run, ENDING)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps({"sweep": self.sweep, "when": time.time(), **vars(outcome)}) + "\n")

    def read(self) -> list[Outcome]:
        """Those that there are, in the order in which they were left."""
        files = self.folder.rglob(f"*{ENDING}")
        found = [one for file in files if (one := read_record(file, _is_outcome)) is not None]
        ours = sorted(
            (one for one in found if one["sweep"] == self.sweep), key=lambda one: float(one["when"])
        )
        return [_outcome(one) for one in ours]

    def file(self, run: Path, ending: str) -> Path:
        """The file of the job with this run directory that has this ending."""
        return self.folder / run.parent.parent.name / f"{run.parent.name}-{run.name}{ending}"

    def pass_on(self, number: int) -> None:
        """Leaves a signal for all jobs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._signals.open("a") as file:
            file.write(f"{number}\n")

    def signals(self) -> list[int]:
        """The signals that were left, each as often as it came."""
        try:
            return [int(line) for line in self._signals.read_text().splitlines()]
        except FileNotFoundError:
            return []

    def forget_signals(self) -> None:
        """Removes the signals; to be called when no job is left that has not got them."""
        self._signals.unlink(missing_ok=True)

    @property
    def _signals(self) -> Path:
        return self.folder / f"{self.sweep.replace(' ', '-')}.signals"


def _is_outcome(content: Any) -> bool:
    """Whether a file has what every version has written."""
    lists = all(isinstance(content.get(name), list) for name in ("overrides", "config_dirs"))
    code = content.get("exit_code", "")
    return (
        lists
        and (code is None or isinstance(code, int))
        and isinstance(content.get("when"), int | float)
        and isinstance(content.get("sweep"), str)
    )


def _outcome(content: dict[str, Any]) -> Outcome:
    values = {name: content[name] for name in (one.name for one in fields(Outcome)) if name in content}
    lists = {name: tuple(values[name]) for name in ("overrides", "config_dirs")}
    return Outcome(**{**values, **lists})


class Heard:
    """A stream that keeps what was written to it last.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.kept = ""

    def write(self, text: str) -> int:
        self.kept = (self.kept + text)[-KEPT:]
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
