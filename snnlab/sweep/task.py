"""The function that Hydra's launchers call for each point of a sweep."""

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TextIO, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED, SnnlabError
from snnlab.output import go_on_unheard
from snnlab.runs.data_check import with_data
from snnlab.runs.identity import run_dir
from snnlab.runs.listing import shown
from snnlab.runs.load import load
from snnlab.runs.results import headline, read_result, read_status, running_in
from snnlab.sweep.objective import objective
from snnlab.sweep.outcome import Heard, Outcome, Outcomes, reason_in
from snnlab.sweep.requeue import requeue_if_warned

LOOK_AGAIN_SECONDS = 2.0  # at points that run elsewhere
IN_USE = SnnlabError.exit_code  # of a run, among other things, whose directory is in use
# What joblib sets in its processes. A run has the threads of one alone, and so its numbers, whatever starts it.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class PointTask:
    """Trains a point in this process; our own launchers start a process instead, and use only its `config`.

    Args:
        train: runs a command line in this process.
        configs: the configs that were checked beforehand, by their set of overrides.
        outcomes: where it leaves how a point ended.
    """

    train: Callable[[list[str]], int]
    configs: Mapping[frozenset[str], RunConfig]
    outcomes: Outcomes | None = None
    tried: dict[frozenset[str], RunConfig] = field(default_factory=dict)
    """The points that a sweeper has made as it went, in their order."""
    ended: list[JobReturn] = field(default_factory=list)
    """How the processes of our own launchers ended; some sweepers keep that to themselves."""
    pid: int = field(default_factory=os.getpid)
    """The process of the sweep."""
    threads: Mapping[str, str | None] = field(
        default_factory=lambda: {name: os.environ.get(name) for name in THREADS}
    )

    def config(self, overrides: Sequence[str], config_dirs: Sequence[str]) -> RunConfig:
        """A point's config; for sweepers that generate points one by one it is checked here."""
        key = frozenset(overrides)
        if key in self.configs:
            return self.configs[key]
        if key not in self.tried:
            self.tried[key] = with_data(load(overrides, config_dirs), prepare=True)
        return self.tried[key]

    def __call__(self, cfg: DictConfig) -> float:
        """Trains in this process, for launchers that run Python functions (basic, joblib, submitit).

        Returns:
            The metric that `trainer.select` names, for sweepers that optimise it; of a failed run the worst.

        Raises:
            KeyboardInterrupt: the sweep itself was stopped.
        """
        overrides = list(HydraConfig.get().overrides.task)
        config_dirs = [path.removeprefix("file://") for path in HydraConfig.get().searchpath]
        if os.getpid() != self.pid:
            self._set_threads()
        point = self.config(overrides, config_dirs)
        run = run_dir(point)
        words = ["train", *overrides, *(f"--config-dir={one}" for one in config_dirs)]
        code, reason = self._train(words, run)
        if code == PREEMPTED:
            requeue_if_warned(read_status(run).get("reason"))
        if self.outcomes is not None:
            self.outcomes.write(run, Outcome(tuple(overrides), tuple(config_dirs), code, reason))
        if code == PREEMPTED and os.getpid() == self.pid:
            raise KeyboardInterrupt
        return objective(point, code)

    def _train(self, words: list[str], run: Path) -> tuple[int, str]:
        """The exit code, and why it failed; waits first where another process works on the run."""
        # The lines of several runs at a time would stand between each other; each is in its run's own log.
        beside = multiprocessing.parent_process() is not None
        if beside:
            go_on_unheard()
        heard = Heard(sys.stderr)
        code = IN_USE
        with redirect_stderr(cast(TextIO, heard)):
            while code == IN_USE:
                _wait_for(run)
                try:
                    code = self._beside_others(words, run) if beside else self.train(words)
                except Exception:
                    traceback.print_exc()
                    code = 1
                if running_in(run) is None:
                    break
        return code, reason_in(heard.kept.splitlines(), code) if code not in (0, PREEMPTED) else ""

    def _beside_others(self, words: list[str], run: Path) -> int:
        """Trains with two lines of output: where the run is, and what came of it."""
        folder = shown(run)
        sys.stdout.write(f"{folder}: started; log {folder}/log.txt\n")
        sys.stdout.flush()
        with redirect_stdout(StringIO()):
            code = self.train(words)
        said = {0: "done", PREEMPTED: "interrupted"}.get(code, "failed")
        result = read_result(run) if code == 0 else None
        sys.stdout.write(f"{folder}: {said}{f'; {headline(result)}' if result else ''}\n")
        sys.stdout.flush()
        return code

    def _set_threads(self) -> None:
        for name, value in self.threads.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _wait_for(folder: Path) -> None:
    """Waits while another process works in a run directory, and says so."""
    said = None
    while (holder := running_in(folder)) is not None:
        if holder != said:
            said = holder
            sys.stderr.write(f"{folder}: runs elsewhere, in {holder}; waiting for it\n")
        time.sleep(LOOK_AGAIN_SECONDS)
