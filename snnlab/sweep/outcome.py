"""How a job ended that one of Hydra's own launchers ran, perhaps in another process: a small file tells the sweep."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from snnlab.atomic import write_text
from snnlab.runs.records import read_record

ENDING = ".ended.json"
KEPT = 4000  # letters of what a job wrote last


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Args:
        overrides: its settings.
        config_dirs: further folders of configurations.
        exit_code: as that of a process.
        reason: why it failed, in a line.
    """

    overrides: tuple[str, ...]
    config_dirs: tuple[str, ...]
    exit_code: int
    reason: str


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of one sweep, in the folder of its logs.

    Args:
        folder: absolute, as a job may have another working directory.
        sweep: what tells them from those of earlier sweeps.
    """

    folder: Path
    sweep: str = field(default_factory=lambda: f"{os.getpid()} {time.time()}")

    def write(self, run: Path, outcome: Outcome) -> None:
        """Leaves the outcome of the run with this directory."""
        file = self.folder / run.parent.parent.name / f"{run.parent.name}-{run.name}{ENDING}"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps({"sweep": self.sweep, "when": time.time(), **vars(outcome)}) + "\n")

    def read(self) -> list[Outcome]:
        """Those that there are, in the order in which they were left."""
        files = self.folder.rglob(f"*{ENDING}")
        read = (read_record(file, _is_outcome) for file in files)
        found = [one for one in read if one is not None and one["sweep"] == self.sweep]
        return [
            Outcome(tuple(one["overrides"]), tuple(one["config_dirs"]), one["exit_code"], one["reason"])
            for one in sorted(found, key=lambda one: one["when"])
        ]


def _is_outcome(content: Mapping[str, Any]) -> bool:
    """Whether the content of such a file has its fields in their types."""
    kinds = {
        "overrides": list,
        "config_dirs": list,
        "exit_code": int,
        "reason": str,
        "when": float,
        "sweep": str,
    }
    return all(isinstance(content.get(key), kind) for key, kind in kinds.items())


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


def reason_in(lines: Sequence[str], exit_code: int) -> str:
    """Why a job failed: the last error that it wrote, else its last line."""
    written = [line for line in lines if line.strip()]
    errors = [line for line in written if line.startswith("error: ")]
    return (errors or written or [f"exit code {exit_code}"])[-1].removeprefix("error: ")
