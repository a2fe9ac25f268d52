"""Runs the points of a sweep in fresh processes, a few at a time, one GPU each if asked to.

A point that fails is reported at once and the others go on. A stop signal is passed on to the processes that run,
which save themselves, and no further one starts; they do the same when this process is killed. A point that another
process works on is waited for.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Protocol, runtime_checkable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from snnlab.config.schema import RunConfig
from snnlab.config.trust import override_key
from snnlab.errors import PREEMPTED, SnnlabError
from snnlab.machine import lifeline
from snnlab.runs.identity import run_dir
from snnlab.runs.results import headline, read_result, running_in
from snnlab.runs.reuse import stored_result
from snnlab.signals import STOP_SIGNALS, handle_stop_signals, restore
from snnlab.sweep.display import Job, SweepDisplay
from snnlab.sweep.objective import objective
from snnlab.sweep.options import ProcessOptions

Configs = Callable[[Sequence[str], Sequence[str]], RunConfig]
LOOK_AGAIN_SECONDS = 2.0  # at points that run elsewhere
IN_USE = SnnlabError.exit_code  # of a run, among other things, whose directory is in use


class NoMoreRunsError(Exception):
    """A sweeper asks for more runs after the sweep was stopped, by a signal or at the first failure."""


@runtime_checkable
class Stoppable(Protocol):
    """A launcher that says whether it was stopped before all points were started; Hydra's own do not."""

    stopped: bool


@dataclass
class ProcessReturn(JobReturn):
    """Hydra's record of a point, with how its process ended."""

    exit_code: int = 0
    run_dir: Path = Path()
    reason: str = ""


@dataclass
class _Point:
    """A point of the sweep.

    Attributes:
        number: counted from 0.
        name: what lines about it begin with.
        overrides: its settings.
        elsewhere: the process that works on it, as far as that was said.
        look_at: when to look again whether one still does.
    """

    number: int
    name: str
    overrides: list[str]
    elsewhere: str | None = None
    look_at: float = 0.0

    def runs_elsewhere(self, cfg: RunConfig, say: Callable[[str], None]) -> bool:
        """True if another process works on it; says so once, and sets the time to look again."""
        if (holder := running_in(run_dir(cfg))) is None:
            return False
        if holder != self.elsewhere:
            say(f"{self.name}: runs elsewhere, in {holder}; waiting for it")
        self.elsewhere, self.look_at = holder, time.monotonic() + LOOK_AGAIN_SECONDS
        return True


@dataclass
class _Child:
    point: _Point
    cfg: RunConfig
    slot: int | None
    log: Path
    output: IO[bytes] | None
    process: subprocess.Popen[bytes]
    job: Job

    def close(self) -> None:
        """Closes the files that are kept open while it runs."""
        for file in (self.output, self.process.stdin):
            if file:
                file.close()


def _fixed(overrides: Sequence[str]) -> frozenset[str]:
    """The keys to which the command line gives one value; a search hands them to each point, in its own spelling."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return frozenset(one.key_or_group for one in parsed if not one.is_sweep_override())


class PointProcesses:
    """The processes of one sweep, one for each point.

    Args:
        config: Hydra's config of the sweep.
        options: how many at a time, on which GPUs.
        configs: gives the checked config of a point.
    """

    def __init__(self, config: DictConfig, options: ProcessOptions, configs: Configs) -> None:
        self.configs = configs
        self.options = options
        self.config_dirs = [path.removeprefix("file://") for path in config.hydra.searchpath]
        self.trials: int | None = config.hydra.sweeper.get("n_trials")
        self.fixed = _fixed(config.hydra.overrides.task) if self.trials else frozenset()
        self.logs = Path(str(config.hydra.sweep.dir))
        self.stopped = False
        self.interrupted = False
        self._running: list[_Child] = []
        self._display = SweepDisplay(alone=not options.show_output)

    def run(self, points: list[list[str]], first: int) -> list[ProcessReturn]:
        """Runs points given by their overrides; returns a record for each that was started or done before."""
        # A sweeper that makes its points as it goes, such as Optuna, hands them in one by one.
        total = max(first + len(points), self.trials or 0)
        common = set.intersection(*map(set, points)) if len(points) > 1 else set()
        waiting = []
        for index, overrides in enumerate(points):
            chosen = [one.lstrip("+") for one in overrides if one not in common]
            label = " ".join([one for one in chosen if override_key(one) not in self.fixed] or chosen)
            waiting.append(_Point(index, f"[{first + index + 1}/{total}] {label}", overrides))
        free = self.options.slots
        found: dict[int, ProcessReturn] = {}
        with self._display, self._signals():
            while self._running or (waiting and not self.stopped):
                for point in [one for one in waiting if one.look_at < time.monotonic()]:
                    if not free or self.stopped:
                        break
                    cfg = self.configs(point.overrides, self.config_dirs)
                    # A run that was made with other settings is left to its process, which says so.
                    stored = stored_result(cfg, run_dir(cfg))
                    if stored is not None and cfg.trainer.on_existing == "resume":
                        self._display.say(f"{point.name}: done before; {headline(stored)}")
                        found[point.number] = _record(point.overrides, cfg, 0, "")
                    elif point.runs_elsewhere(cfg, self._display.say):
                        continue
                    else:
                        child = self._start(point, cfg, free.pop(0))
                        self._running.append(child)
                        self._display.say(f"{point.name}: started; {child.job.places}")
                    waiting.remove(point)
                for child in [one for one in self._running if one.process.poll() is not None]:
                    self._running.remove(child)
                    free.append(child.slot)
                    # Another process can have taken the directory in the moment between looking and starting.
                    if child.process.returncode == IN_USE and child.point.runs_elsewhere(
                        child.cfg, self._display.say
                    ):
                        child.close()
                        waiting.append(child.point)
                    else:
                        found[child.point.number] = self._finish(child)
                self._display.look([one.job for one in self._running], len(waiting))
                time.sleep(0.05)
        if self.interrupted and waiting:
            found[len(points)] = ProcessReturn(
                status=JobStatus.COMPLETED, exit_code=PREEMPTED, reason="other points were not started"
            )
        return [found[number] for number in sorted(found)]

    def _start(self, point: _Point, cfg: RunConfig, slot: int | None) -> _Child:
        folder = run_dir(cfg)
        log = self.logs / cfg.experiment / f"{folder.parent.name}-{folder.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        output = None if self.options.show_output else log.open("wb")
        command = [sys.executable, "-m", "snnlab", "train", *point.overrides]
        for config_dir in self.config_dirs:
            command += ["--config-dir", config_dir]
        environment = dict(os.environ)
        if slot is not None:
            environment["CUDA_VISIBLE_DEVICES"] = str(slot)
        process = lifeline.start(
            command,
            environment,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            # A terminal's Ctrl-C reaches this process only, which passes it on exactly once.
            start_new_session=True,
        )
        job = Job(point.name, folder, log if output else None)
        return _Child(point, cfg, slot, log, output, process, job)

    def _finish(self, child: _Child) -> ProcessReturn:
        code = child.process.returncode
        if self.interrupted and -code in STOP_SIGNALS:
            code = PREEMPTED
        child.close()
        took = f"{time.monotonic() - child.job.since:.0f} s"
        reason = ""
        if code == 0:
            self._display.say(
                f"{child.point.name}: done in {took}; {headline(read_result(run_dir(child.cfg)))}"
            )
        elif code == PREEMPTED:
            self._display.say(f"{child.point.name}: interrupted after {took}; the same command continues it")
        else:
            tail = [] if child.output is None else _tail(child.log)
            reason = next((line for line in reversed(tail) if line.startswith("error: ")), "")
            reason = (reason or (tail[-1] if tail else f"exit code {code}")).removeprefix("error: ")
            lines = "".join(f"\n    {line}" for line in tail)
            where = "" if child.output is None else f"\n    (whole output: {child.log})"
            self._display.say(f"{child.point.name}: FAILED after {took}, exit code {code}{lines}{where}")
            self.stopped |= self.options.on_error == "stop"
        return _record(child.point.overrides, child.cfg, code, reason)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def pass_on(number: int, frame: FrameType | None) -> None:
            self.stopped = self.interrupted = True
            self._display.say(
                f"{signal.Signals(number).name}: the sweep stops when the running processes have saved themselves"
            )
            for child in self._running:
                if child.process.poll() is None:
                    child.process.send_signal(number)

        previous = handle_stop_signals(pass_on)
        try:
            yield
        finally:
            restore(previous)


def _record(overrides: list[str], cfg: RunConfig, exit_code: int, reason: str) -> ProcessReturn:
    folder = run_dir(cfg)
    return ProcessReturn(
        overrides=overrides,
        working_dir=str(folder),
        status=JobStatus.COMPLETED,
        _return_value=objective(cfg, exit_code),
        exit_code=exit_code,
        run_dir=folder,
        reason=reason,
    )


def _tail(log: Path, lines: int = 12) -> list[str]:
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in text if line.strip()][-lines:]
