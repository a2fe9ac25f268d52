"""W&B in a process of its own: its import, its start and its uploads take no time of the run, nor can they hang it.

The run writes one JSON record per line to the process's standard input, and never waits for it before the end. When
the run is gone, killed or not, the input ends, and so does the process.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snnlab.config.schema import LoggerConfig
from snnlab.dashboards.base import Cell, Dashboard, Status
from snnlab.dashboards.wandb_log import FINISH_SECONDS, WandbLog
from snnlab.signals import STOP_SIGNALS

START_SECONDS = 30.0
"""How long the end of a run waits for a W&B that has not started yet."""
STOP_SECONDS = 15.0
"""How long a run that was stopped, or failed, waits for uploads."""


class WandbApart(Dashboard):
    """A `WandbLog` in another process.

    Args:
        cfg: the settings.
        arguments: the other arguments of `WandbLog` but `warn`, as plain values.
        program: what the process runs.
    """

    name = "W&B"

    def __init__(
        self,
        cfg: LoggerConfig,
        arguments: Mapping[str, Any],
        program: Sequence[str] = (sys.executable, "-m", "snnlab.dashboards.wandb_process"),
    ) -> None:
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is meant for the run
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._unsent = self._unread = b""
        self._words: list[str] = []
        self._started = False
        with suppress(BrokenPipeError):  # it has died already, which the next record finds out
            self._send("start", {"cfg": asdict(cfg), "stats_pid": os.getpid(), **arguments})

    def row(self, row: Mapping[str, Any]) -> None:
        self._send("row", dict(row))

    def series(self, name: str, steps: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
        self._send("series", name, list(steps), {label: list(line) for label, line in lines.items()})

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self._send("table", name, list(columns), [list(row) for row in rows])

    def pictures(self, paths: Sequence[Path]) -> None:
        self._send("pictures", [str(path) for path in paths])

    def summary(self, values: Mapping[str, Cell]) -> None:
        self._send("summary", dict(values))

    def file(self, path: Path, kind: str) -> None:
        self._send("file", str(path), kind)

    def finish(self, status: Status) -> None:
        """Waits until the process has ended; kills it where it does not start or end in time."""
        self._send("finish", status)
        begin = time.monotonic()
        patience = FINISH_SECONDS + START_SECONDS if status == "done" else STOP_SECONDS
        try:
            while not self._has_ended():
                waited = time.monotonic() - begin
                if waited > (patience if self._started else min(patience, START_SECONDS)):
                    self._words.append(
                        f"warning: W&B: not at its end after {waited:.0f} s; not all is logged"
                    )
                    break
                select.select([self._from], [self._to] if self._unsent else [], [], 0.2)
                self._push()
        finally:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()

    def words(self) -> list[str]:
        if not self._process.stdout or self._process.stdout.closed:
            self._words, found = [], self._words
            return found
        self._has_ended()
        self._words, found = [], self._words
        return found

    def _send(self, *record: Any) -> None:
        self._unsent += json.dumps(record, default=str).encode() + b"\n"
        self._push()

    def _push(self) -> None:
        """Writes what the pipe takes now."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._to, self._unsent) :]
        except BlockingIOError:
            pass

    def _has_ended(self) -> bool:
        """Reads what the process has said so far; True if it will say no more."""
        try:
            while part := os.read(self._from, 65536):
                self._unread += part
        except BlockingIOError:
            return False
        finally:
            *lines, self._unread = self._unread.split(b"\n")
            for line in lines:
                self._started = True
                if text := json.loads(line):
                    self._words.append(text)
        return True


def main() -> None:
    """Reads records until `finish`, or until the run is gone."""
    for one in STOP_SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    said = os.dup(1)
    os.dup2(2, 1)  # what W&B prints is not for the run

    def say(text: str) -> None:
        with suppress(BrokenPipeError):  # the run is gone; what it has sent is logged all the same
            os.write(said, json.dumps(text).encode() + b"\n")

    records = sys.stdin
    _, start = json.loads(records.readline())
    settings: dict[str, Any] = start.pop("cfg")
    cfg = LoggerConfig(**{**settings, "tags": tuple(settings["tags"])})
    run_dir = Path(start.pop("run_dir"))
    log = WandbLog(cfg, run_dir, warn=lambda text: say(f"warning: {text}"), **start)
    say(f"wandb    {log.url}" if log.mode == "online" else "")
    for line in records:
        name, *values = json.loads(line)
        getattr(log, name)(*values)
        if name == "finish":
            break
    else:
        log.finish("failed")
    if log.mode == "offline":
        say(f"wandb    offline, sent by: {log.sync_command}")
    # W&B would wait for its uploads once more.
    os._exit(0)


if __name__ == "__main__":
    main()
