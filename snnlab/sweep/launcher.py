"""Runs the points of a sweep in fresh processes, here or on the machines of a cluster.

A point that fails is reported at once and the others go on. A stop signal is passed on to the processes that run,
which save themselves, and no further one starts; they do the same when this process is killed. A point that another
process works on is waited for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol, runtime_checkable

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from snnlab.config.compose import config_dirs_in
from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED
from snnlab.runs.identity import run_dir
from snnlab.runs.results import headline, running_in
from snnlab.runs.reuse import stored_result
from snnlab.signals import STOP_SIGNALS, handle_stop_signals, restore
from snnlab.sweep.beside import IN_USE, LOOK_AGAIN_SECONDS
from snnlab.sweep.display import Job, SweepDisplay
from snnlab.sweep.ending import ending, reason_in, tail
from snnlab.sweep.names import names_of
from snnlab.sweep.objective import objective
from snnlab.sweep.options import ProcessOptions, RayOptions
from snnlab.sweep.places import JobProcess, Places

Configs = Callable[[Sequence[str], Sequence[str]], RunConfig]


@runtime_checkable
class Stoppable(Protocol):
    """A launcher that says whether it was stopped before all points were started; Hydra's own do not."""

    stopped: bool


class SweepStoppedError(Exception):
    """More points were asked for after one has failed, with `hydra.launcher.on_error=stop`."""


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
    log: Path | None
    process: JobProcess
    job: Job
    is_said: bool = False


class PointProcesses:
    """The processes of one sweep, one for each point.

    Args:
        config: Hydra's config of the sweep.
        options: what to do after a failure, and whether the jobs' output is shown.
        configs: gives the checked config of a point.
        places: starts the processes.
    """

    def __init__(
        self, config: DictConfig, options: ProcessOptions | RayOptions, configs: Configs, places: Places
    ) -> None:
        self.config = config
        self.configs = configs
        self.options = options
        self.places = places
        self.config_dirs = config_dirs_in(config.hydra.searchpath)
        self.logs = Path(str(config.hydra.sweep.dir))
        self.stopped = False
        self.interrupted = False
        self._running: list[_Child] = []
        self._display = SweepDisplay(alone=not options.show_output)

    def run(self, points: list[list[str]], first: int) -> list[ProcessReturn]:
        """Runs points given by their overrides; returns a record for each that was started or done before."""
        # A sweeper that makes its points as it goes, such as Optuna, hands them in one by one.
        names = names_of(points, first, self.config)
        waiting = [_Point(index, names[index], overrides) for index, overrides in enumerate(points)]
        found: dict[int, ProcessReturn] = {}
        with self._display, self._signals():
            while self._running or (waiting and not self.stopped):
                for point in [one for one in waiting if one.look_at < time.monotonic()]:
                    if self.stopped or not self.places.is_free():
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
                        self._running.append(self._start(point, cfg))
                    waiting.remove(point)
                for child in list(self._running):
                    code = child.process.poll()
                    self._say_started(child)
                    if code is None and (child.process.has_begun or not self.stopped):
                        continue
                    self._running.remove(child)
                    child.process.close()
                    # Another process can have taken the directory in the moment between looking and starting.
                    taken = code == IN_USE and child.point.runs_elsewhere(child.cfg, self._display.say)
                    if code is None or taken:
                        waiting.append(child.point)
                    else:
                        found[child.point.number] = self._finish(child, code)
                begun = [one.job for one in self._running if one.process.has_begun]
                self._display.look(begun, len(waiting) + len(self._running) - len(begun))
                time.sleep(0.05)
        if self.interrupted and waiting:
            found[len(points)] = ProcessReturn(
                status=JobStatus.COMPLETED, exit_code=PREEMPTED, reason="other points were not started"
            )
        return [found[number] for number in sorted(found)]

    def _start(self, point: _Point, cfg: RunConfig) -> _Child:
        folder = run_dir(cfg)
        log = None
        if not self.options.show_output:
            log = self.logs / cfg.experiment / f"{folder.parent.name}-{folder.name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ["train", *point.overrides]
        for config_dir in self.config_dirs:
            arguments += ["--config-dir", config_dir]
        process = self.places.start(arguments, cfg, log)
        child = _Child(point, cfg, log, process, Job(point.name, folder, log))
        self._say_started(child)
        return child

    def _say_started(self, child: _Child) -> None:
        """Says once that a job has begun, and where it and its files are."""
        if child.is_said or not child.process.has_begun:
            return
        child.is_said = True
        child.job.since = time.monotonic()
        where = f" on {child.process.where}" if child.process.where else ""
        self._display.say(f"{child.point.name}: started{where}; {child.job.places}")

    def _finish(self, child: _Child, code: int) -> ProcessReturn:
        if self.interrupted and (-code in STOP_SIGNALS or child.process.trouble):
            code = PREEMPTED
        seconds, trouble = time.monotonic() - child.job.since, child.process.trouble
        self._display.say(ending(child.point.name, run_dir(child.cfg), code, seconds, child.log, trouble))
        reason = ""
        if code not in (0, PREEMPTED):
            reason = trouble or reason_in(tail(child.log), code)
            self.stopped |= self.options.on_error == "stop"
        return _record(child.point.overrides, child.cfg, code, reason)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def pass_on(number: int, frame: FrameType | None) -> None:
            self.stopped = self.interrupted = True
            self._display.say_stopping(number)
            for child in self._running:
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
