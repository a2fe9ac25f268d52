"""Shows where the jobs of a sweep are and how far: a live table on a terminal, plain lines elsewhere."""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from snnlab.duration import duration
from snnlab.metric_names import ACC, ECE
from snnlab.runs.listing import progress, shown
from snnlab.runs.overview import RunLine, run_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

LIVE_SECONDS = 1.0
PLAIN_SECONDS = 30.0


@dataclass
class Job:
    """A job that runs: its name in lines about it, its run directory, and the file with its output if there is one."""

    name: str
    folder: Path
    log: Path | None
    since: float = field(default_factory=time.monotonic)

    @property
    def places(self) -> str:
        """Where its folder and its log are."""
        log = "" if self.log is None else f", log {shown(self.log)}"
        return f"run {shown(self.folder)}{log}"


class SweepDisplay:
    """Says what happens, and in between how far the jobs are.

    Args:
        console: where to write; default stdout.
        alone: whether nothing else writes there; no table otherwise.
        clock: seconds from any origin, for tests.
    """

    def __init__(
        self,
        console: "Console | None" = None,
        alone: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console  # a sweep is checked without it

        self._console = console or Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self._is_live = alone and self._console.is_terminal and not self._console.is_dumb_terminal
        self._clock = clock
        self._looked_at = clock()
        self._said: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._is_live:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """Writes a line; on a terminal, above the table."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)
        self._console.file.flush()

    def say_stopping(self, number: int) -> None:
        """Says that a stop signal is passed on."""
        self.say(
            f"{signal.Signals(number).name}: the sweep stops when the running processes have saved themselves"
        )

    def look(self, jobs: Sequence[Job], waiting: int) -> None:
        """Shows how far the running jobs are, if it is time to.

        Args:
            jobs: those that run.
            waiting: how many are still to be started.
        """
        now = self._clock()
        if now - self._looked_at < (LIVE_SECONDS if self._live else PLAIN_SECONDS):
            return
        self._looked_at = now
        lines = [(job, run_line(job.folder)) for job in jobs]
        if self._live is not None:
            self._live.update(_table(lines, waiting), refresh=True)
            return
        for job, line in lines:
            far = _far(line)
            if line.epoch and self._said.get(job.name) != far:
                self._said[job.name] = far
                self.say(f"{job.name}: {far}")


def _far(line: RunLine) -> str:
    left = "" if line.seconds_left is None else f", {duration(line.seconds_left)} left"
    found = [
        f"test/{metric.key} {metric.text(value)}"
        for metric in (ACC, ECE)
        if isinstance(value := line.last.get(f"test/{metric.key}"), int | float)
    ]
    return f"epoch {progress(line)}{left}{'; ' if found else ''}{', '.join(found)}"


def _table(lines: Sequence[tuple[Job, RunLine]], waiting: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("job", "far", "for", "folder and log"):
        table.add_column(head, overflow="fold")
    for job, line in lines:
        table.add_row(
            Text(job.name, style="bold"),
            Text(_far(line)),
            duration(time.monotonic() - job.since),
            Text(job.places.removeprefix("run ")),
        )
    if waiting:
        table.add_row(Text(f"{waiting} waiting", style="dim"))
    return table
