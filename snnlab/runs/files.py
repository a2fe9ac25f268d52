"""The files of a run directory: its lock, status, metrics and result.

`status.json` is running, done, imported, failed or preempted (`read_status` knows what a killed run's is);
`metrics.jsonl` has a JSON object per line; `result.json` exists when the run is done. Every file is replaced
atomically, so that a killed run leaves readable ones.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import yaml

from snnlab.atomic import json_text, naming, replacing, write_json, write_text
from snnlab.config.schema import GRAPH
from snnlab.errors import SnnlabError
from snnlab.leftovers import remove_leftovers
from snnlab.locks import lock
from snnlab.runs import checkpoint
from snnlab.runs.holder import BEAT_SECONDS, in_use, refuse_in_use
from snnlab.runs.results import METRICS, RunResult, read_metrics, read_result
from snnlab.writable import refuse_unwritable, refuse_unwritable_file


class RunFiles:
    """A run directory, locked by one process at a time.

    Raises:
        SnnlabError: another process holds the directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.plots = folder / "plots"
        self._lock = folder / ".lock"
        self._metrics = folder / METRICS
        self.place: Callable[[], Mapping[str, object]] = dict
        """How far the run is, for `status.json`; asked only when that is written."""
        self._beat_at = 0.0
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        self._lock_file = self._lock.open("a+")
        # The kernel releases the lock when the process ends, so a killed run leaves no stale one.
        if not _lock_soon(self._lock_file):
            self._lock_file.seek(0)
            holder = self._lock_file.read()
            self._lock_file.close()
            raise in_use(self.folder, holder)
        self._lock_file.truncate(0)
        self._lock_file.write(f"process {os.getpid()} on {socket.gethostname()}")
        self._lock_file.flush()
        remove_leftovers([*self.folder.glob(".*.*"), *self.checkpoints.glob(".*.*")])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock_file.truncate(0)
        self._lock_file.close()

    def refuse_unwritable(self) -> None:
        """Stops before data are prepared if the run's files could not be written.

        Raises:
            SnnlabError: the directory or its parent is read-only, a file, or a link to nothing.
        """
        elsewhere = "paths.runs=DIR names another place for runs"
        for folder in (self.checkpoints, self.plots, self.folder):
            refuse_unwritable(folder, elsewhere)
        for file in self._files():
            refuse_unwritable_file(file, f"remove it; {elsewhere}")
        # Others are replaced; these are written to where they are.
        for file in (self._lock, self._metrics, self.folder / "log.txt"):
            if file.is_symlink() and not file.exists():
                raise SnnlabError(
                    f"{file} is a link to {os.readlink(file)}, which is not there", f"remove it; {elsewhere}"
                )

    def refuse_in_use(self) -> None:
        """Stops before data are prepared if another process works in the directory; entering it asks again.

        Raises:
            SnnlabError: one does.
        """
        refuse_in_use(self.folder)

    def _files(self) -> list[Path]:
        names = (".lock", "config.yaml", "overrides.txt", "env.json", "status.json", "log.txt", METRICS)
        checkpoints = [self.checkpoints / f"{name}.pt" for name in ("last", "best")]
        return [
            *(self.folder / name for name in (*names, "evaluation.json", "result.json", GRAPH)),
            *checkpoints,
        ]

    def result(self) -> RunResult | None:
        """The stored result of a finished run; None if there is none or it cannot be read (the run is repeated)."""
        stored = read_result(self.folder)
        return None if stored is None else RunResult.of(stored)

    def write_result(self, result: RunResult) -> None:
        write_json(self.folder / "result.json", result.as_mapping())

    def write_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Writes the data of the report's diagrams that are not metrics: reliability and confusion."""
        write_text(self.folder / "evaluation.json", json_text(evaluation) + "\n")

    def save_checkpoint(self, name: str, content: dict[str, Any]) -> None:
        checkpoint.save(self.checkpoints / f"{name}.pt", content)

    def write_status(self, status: str, **details: object) -> None:
        write_json(self.folder / "status.json", {"status": status, **details})

    def write_running(self) -> None:
        """Writes the status `running`, with what shows others later whether it still is, and how far it is."""
        self._beat_at = time.monotonic()
        who = {"pid": os.getpid(), "host": socket.gethostname()}
        self.write_status("running", **who, heartbeat=time.time(), **self.place())

    def beat(self) -> None:
        """Renews the status `running`, at most every half minute."""
        if time.monotonic() - self._beat_at > BEAT_SECONDS:
            self.write_running()

    def write_ended(self, status: str, reason: str) -> None:
        """Writes that the run has stopped, why, and how far it has come."""
        self.write_status(status, reason=reason, **self.place())

    def write_config(self, config: Mapping[str, Any], overrides: tuple[str, ...]) -> None:
        write_text(self.folder / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False))
        write_text(self.folder / "overrides.txt", "".join(f"{override}\n" for override in overrides))

    def keep_graph(self, graph: Path) -> None:
        """Copies the NIR file that the network was made of: the run needs no other place."""
        kept = self.folder / GRAPH
        if graph != kept:
            with replacing(kept) as temporary:
                temporary.write_bytes(graph.read_bytes())

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        write_json(self.folder / "env.json", environment)

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        line = json_text(row) + "\n"
        self._lines.append(line)
        with naming(self._metrics), self._metrics.open("a", encoding="utf-8") as file:
            file.write(line)

    @property
    def metrics_text(self) -> str:
        """What metrics.jsonl holds, if nobody else has changed it; part of every checkpoint."""
        return "".join(self._lines)

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows so far."""
        return read_metrics(self.folder)

    def restore_metrics(self, text: str) -> bool:
        """Writes metrics.jsonl as it was at the state from which a run continues.

        Returns:
            Whether the file still held that; rows that were written after it do not matter.
        """
        self._lines = text.splitlines(keepends=True)
        try:
            held = self._metrics.read_bytes().startswith(text.encode())
        except OSError:
            held = not text
        write_text(self._metrics, text)
        return held

    def first_rows(self, count: int) -> str:
        """The first rows of metrics.jsonl, for checkpoints of version 0.1.0, which hold their number only."""
        return "".join(json_text(row) + "\n" for row in read_metrics(self.folder)[:count])

    def clear(self) -> None:
        """Deletes the files of an earlier run in this directory."""
        for path in [*self.checkpoints.glob("*"), *self.plots.glob("*"), *self.folder.glob("*.json*")]:
            path.unlink()


class FollowerFiles(RunFiles):
    """A read-only run directory, for the processes of a run other than the leader."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def refuse_unwritable(self) -> None:
        pass

    def refuse_in_use(self) -> None:
        pass

    def write_result(self, result: RunResult) -> None:
        pass

    def write_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        pass

    def save_checkpoint(self, name: str, content: dict[str, Any]) -> None:
        pass

    def write_status(self, status: str, **details: object) -> None:
        pass

    def beat(self) -> None:
        pass

    def write_config(self, config: Mapping[str, Any], overrides: tuple[str, ...]) -> None:
        pass

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        pass

    def keep_graph(self, graph: Path) -> None:
        pass

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        pass

    def restore_metrics(self, text: str) -> bool:
        return True

    def clear(self) -> None:
        pass


def _lock_soon(file: IO[str]) -> bool:
    """Locks a file; tries again for a second, in which a reader's glance or the end of a killed process passes."""
    for _ in range(10):
        if lock(file):
            return True
        time.sleep(0.1)
    return False
