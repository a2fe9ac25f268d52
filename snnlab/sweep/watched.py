"""One of Hydra's own launchers whose jobs run in other processes: their lines are shown, and signals reach them.

Stop signals are passed on to the jobs, which save themselves; then the launcher returns by itself. Jobs of submitit
stay in their queue, and the sweep ends at once. Processes that a launcher starts block what a terminal sends to all:
joblib would miss a worker that Ctrl-C has ended and kill all others for it, and jobs of submitit are to stay.
"""

import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from snnlab.runs.results import headline, read_result
from snnlab.signals import STOP_SIGNALS, handle_stop_signals, restore
from snnlab.sweep.checked import CheckedLauncher
from snnlab.sweep.display import Job, SweepDisplay
from snnlab.sweep.ending import ending
from snnlab.sweep.names import names_of
from snnlab.sweep.options import OPTIONS
from snnlab.sweep.outcome import Outcome, Outcomes
from snnlab.sweep.task import PointTask

POLL_SECONDS = 0.2
OF_TERMINALS = tuple(one for one in STOP_SIGNALS if one.name in ("SIGINT", "SIGHUP"))
STAYING = "hydra_plugins.hydra_submitit_launcher."
IN_THIS_PROCESS = "hydra._internal.core_plugins."


def jobs_stay(launcher: DictConfig) -> bool:
    """Whether the jobs of a launcher go on when the sweep ends."""
    return str(launcher.get("_target_")).startswith(STAYING)


@contextmanager
def watching(task: PointTask) -> Iterator[None]:
    """From here on, launchers that Hydra makes are watched if their jobs run in other processes that are not ours.

    Those of a search get trials that have been checked.
    """
    original = Plugins.instantiate_launcher

    def instantiate(
        plugins: Plugins, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> Launcher:
        launcher = original(plugins, hydra_context, task_function, config)
        target = str(config.hydra.launcher.get("_target_"))
        if target not in OPTIONS and not target.startswith(IN_THIS_PROCESS):
            launcher = WatchedLauncher(launcher, config, task)
        return launcher if task.fixed is None else CheckedLauncher(launcher, config, task)

    Plugins.instantiate_launcher = instantiate  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Plugins.instantiate_launcher = original  # type: ignore[method-assign]
        task.outcomes.forget_signals()


class WatchedLauncher(Launcher):
    """Stands before a launcher.

    Args:
        launcher: the launcher, ready to launch.
        config: Hydra's config of the sweep.
        task: what its jobs do.
    """

    def __init__(self, launcher: Launcher, config: DictConfig, task: PointTask) -> None:
        self.launcher = launcher
        self.config = config
        self.task = task
        self.stopped = False

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Nothing: the launcher is set up."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        if self.stopped:  # sweepers that make their points as they go cannot do without an answer
            raise KeyboardInterrupt
        points = [list(one) for one in job_overrides]
        names = names_of(points, initial_job_idx, self.config)
        named = {frozenset(point): name for point, name in zip(points, names, strict=True)}
        before = self._submitted()
        try:
            with Watch(self.task.outcomes, named) as watch, self._signals(watch):
                return self.launcher.launch(job_overrides, initial_job_idx=initial_job_idx)
        except KeyboardInterrupt:
            count = len(self._submitted() - before)
            self.task.staying.update(map(frozenset, points[:count]))
            raise

    def _submitted(self) -> set[Path]:
        """The files by which submitit has given jobs to its queue."""
        if not self.task.stay:
            return set()
        folder = str(self.config.hydra.launcher.submitit_folder).partition("%")[0]
        return {*Path(folder).rglob("*_submitted.pkl")}

    @contextmanager
    def _signals(self, watch: "Watch") -> Iterator[None]:
        def pass_on(number: int, frame: FrameType | None) -> None:
            self.stopped = True
            watch.display.say_stopping(number)
            self.task.outcomes.pass_on(number)

        previous = {} if self.task.stay else handle_stop_signals(pass_on)
        # The thread of `watch` takes them, and Python calls the handler in this one.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, OF_TERMINALS if self.task.stay else STOP_SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            restore(previous)


class Watch:
    """Says in a thread how the jobs stand that a launcher was given.

    Args:
        outcomes: where they say it.
        names: what lines about them begin with, by their overrides.
    """

    def __init__(self, outcomes: Outcomes, names: Mapping[frozenset[str], str]) -> None:
        self.display = SweepDisplay()
        self._outcomes = outcomes
        self._names = names
        self._said: dict[frozenset[str], Outcome] = {}
        self._running: dict[frozenset[str], Job] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.display.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self.display.__exit__(kind, error, trace)

    def _run(self) -> None:
        while not self._is_over.wait(POLL_SECONDS):
            self._look()
            ended = sum(one.exit_code is not None for one in self._said.values())
            jobs = list(self._running.values())
            self.display.look(jobs, len(self._names) - ended - len(jobs))
        self._look()

    def _look(self) -> None:
        for one in self._outcomes.read():
            key = frozenset(one.overrides)
            if key in self._names and self._said.get(key) != one:
                if line := self._line(key, one):
                    self.display.say(line)
                self._said[key] = one

    def _line(self, key: frozenset[str], one: Outcome) -> str:
        name, folder, log = self._names[key], Path(one.run), Path(one.log)
        if one.elsewhere:
            return f"{name}: runs elsewhere, in {one.elsewhere}; waiting for it"
        if one.exit_code is None:
            job = self._running[key] = Job(name, folder, log)
            where = "" if one.host == socket.gethostname() else f" on {one.host}"
            return f"{name}: started{where}; {job.places}"
        begun = self._running.pop(key, None)
        if not one.seconds:
            return f"{name}: done before; {headline(read_result(folder))}"
        said = ending(name, folder, one.exit_code, one.seconds, log)
        before = self._said.get(key)
        if begun is None and (before is None or before.elsewhere):  # it was quicker than the look at it
            return f"{name}: started; {Job(name, folder, log).places}\n{said}"
        return said
