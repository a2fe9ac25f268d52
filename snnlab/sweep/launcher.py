"""Runs the jobs of a sweep in fresh processes, a few at a time, one GPU each if asked to.

A job that fails is reported at once and the others go on. Ctrl-C or SIGTERM is passed on to those that run,
which save themselves, and no further job starts.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any, Literal

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED, ConfigError
from snnlab.ranges import NonNegativeInt, PositiveInt
from snnlab.runs.identity import run_dir
from snnlab.runs.results import headline, read_result, select_metric
from snnlab.runs.reuse import stored_result

Configs = Callable[[Sequence[str], Sequence[str]], RunConfig]
STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class ProcessOptions:
    """What conf/hydra/launcher/process.yaml sets."""

    workers: PositiveInt | None = None
    """Jobs at a time; null = one for each of `gpus`, else 1."""
    gpus: list[NonNegativeInt] | None = None
    """GPUs to hand out, one to each job; name one twice to share it."""
    on_error: Literal["continue", "stop"] = "continue"
    """Whether other jobs start after one has failed."""
    show_output: bool = False
    """Show what the jobs print, instead of writing it into a file each."""

    def __post_init__(self) -> None:
        if self.gpus is not None and (not self.gpus or (self.workers or 1) > len(self.gpus)):
            raise ConfigError(
                f"hydra.launcher.gpus: {self.gpus} is too short for {self.workers or 1} worker(s)",
                "name a GPU for each worker; one named twice is shared: hydra.launcher.gpus=[0,0]",
            )

    @property
    def slots(self) -> list[int | None]:
        """The GPU of each job that may run at the same time; None leaves the environment as it is."""
        if self.gpus is None:
            return [None] * (self.workers or 1)
        return list(self.gpus[: self.workers or len(self.gpus)])


@dataclass
class ProcessReturn(JobReturn):
    """Hydra's record of a job, with how its process ended."""

    exit_code: int = 0
    run_dir: Path = Path()
    reason: str = ""


@dataclass
class _Job:
    number: int
    name: str
    overrides: list[str]
    cfg: RunConfig
    slot: int | None
    log: Path
    output: IO[bytes] | None
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)


class Processes:
    """The processes of one sweep.

    Args:
        config: Hydra's config of the sweep.
        options: how many at a time, on which GPUs.
        configs: gives the checked config of a job.
    """

    def __init__(self, config: DictConfig, options: ProcessOptions, configs: Configs) -> None:
        self.configs = configs
        self.options = options
        self.config_dirs = [path.removeprefix("file://") for path in config.hydra.searchpath]
        self.logs = Path(str(config.hydra.sweep.dir))
        self.stopped = False
        self.interrupted = False
        self._running: list[_Job] = []

    def run(self, jobs: list[list[str]], first: int) -> list[ProcessReturn]:
        """Runs jobs given by their overrides; returns a record for each that was started."""
        waiting = list(enumerate(jobs))
        common = set.intersection(*map(set, jobs)) if len(jobs) > 1 else set()
        free = self.options.slots
        found: dict[int, ProcessReturn] = {}
        with self._signals():
            while self._running or (waiting and not self.stopped):
                while waiting and free and not self.stopped:
                    index, overrides = waiting.pop(0)
                    label = " ".join(one.lstrip("+") for one in overrides if one not in common)
                    name = f"[{first + index + 1}/{first + len(jobs)}] {label}"
                    cfg = self.configs(overrides, self.config_dirs)
                    # A run that was made with other settings is left to its process, which says so.
                    stored = stored_result(cfg, run_dir(cfg))
                    if stored is not None and cfg.trainer.on_existing == "resume":
                        _say(f"{name}: done before; {headline(stored)}")
                        found[index] = _record(overrides, cfg, 0, "")
                        continue
                    self._running.append(self._start(index, name, overrides, cfg, free.pop(0)))
                    _say(f"{name}: started")
                for job in [one for one in self._running if one.process.poll() is not None]:
                    self._running.remove(job)
                    free.append(job.slot)
                    found[job.number] = self._finish(job)
                time.sleep(0.05)
        if self.interrupted and waiting:
            found[len(jobs)] = ProcessReturn(
                status=JobStatus.COMPLETED, exit_code=PREEMPTED, reason="other jobs were not started"
            )
        return [found[number] for number in sorted(found)]

    def _start(self, index: int, name: str, overrides: list[str], cfg: RunConfig, slot: int | None) -> _Job:
        folder = run_dir(cfg)
        log = self.logs / cfg.experiment / f"{folder.parent.name}-{folder.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        output = None if self.options.show_output else log.open("wb")
        command = [sys.executable, "-m", "snnlab", "train", *overrides]
        for config_dir in self.config_dirs:
            command += ["--config-dir", config_dir]
        environment = dict(os.environ)
        if slot is not None:
            environment["CUDA_VISIBLE_DEVICES"] = str(slot)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=environment,
            # A terminal's Ctrl-C reaches this process only, which passes it on exactly once.
            start_new_session=True,
        )
        return _Job(index, name, overrides, cfg, slot, log, output, process)

    def _finish(self, job: _Job) -> ProcessReturn:
        code = job.process.returncode
        if self.interrupted and -code in STOPPING:
            code = PREEMPTED
        if job.output:
            job.output.close()
        took = f"{time.monotonic() - job.started:.0f} s"
        reason = ""
        if code == 0:
            _say(f"{job.name}: done in {took}; {headline(read_result(run_dir(job.cfg)))}")
        elif code == PREEMPTED:
            _say(f"{job.name}: interrupted after {took}; the same command continues it")
        else:
            tail = [] if job.output is None else _tail(job.log)
            reason = next((line for line in reversed(tail) if line.startswith("error: ")), "")
            reason = (reason or (tail[-1] if tail else f"exit code {code}")).removeprefix("error: ")
            lines = "".join(f"\n    {line}" for line in tail)
            where = "" if job.output is None else f"\n    (whole output: {job.log})"
            _say(f"{job.name}: FAILED after {took}, exit code {code}{lines}{where}")
            self.stopped |= self.options.on_error == "stop"
        return _record(job.overrides, job.cfg, code, reason)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def pass_on(number: int, frame: FrameType | None) -> None:
            self.stopped = self.interrupted = True
            _say(
                f"{signal.Signals(number).name}: the sweep stops when the running jobs have saved themselves"
            )
            for job in self._running:
                if job.process.poll() is None:
                    job.process.send_signal(number)

        previous: Mapping[int, Any] = {number: signal.signal(number, pass_on) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _record(overrides: list[str], cfg: RunConfig, exit_code: int, reason: str) -> ProcessReturn:
    folder = run_dir(cfg)
    return ProcessReturn(
        overrides=overrides,
        working_dir=str(folder),
        status=JobStatus.COMPLETED,
        _return_value=select_metric(read_result(folder) if exit_code == 0 else None, cfg.trainer.select),
        exit_code=exit_code,
        run_dir=folder,
        reason=reason,
    )


def _tail(log: Path, lines: int = 12) -> list[str]:
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in text if line.strip()][-lines:]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
