"""The function that Hydra's launchers call for each point of a sweep."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from snnlab.config.compose import config_dirs_in
from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED, SnnlabError
from snnlab.runs.data_check import with_data
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.runs.results import running_in
from snnlab.sweep.beside import IN_USE, LOOK_AGAIN_SECONDS, Beside
from snnlab.sweep.ending import reason_in
from snnlab.sweep.objective import objective
from snnlab.sweep.outcome import Heard, Outcome, Outcomes

# What joblib sets in its processes. A run has the threads of one alone, and so its numbers, whatever starts it.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class PointTask:
    """Trains a point; our own launchers start a process instead, and use only its `config`.

    Args:
        train: runs a command line in this process.
        configs: the configs that were checked beforehand, by their set of overrides.
        outcomes: where it says how a point stands.
    """

    train: Callable[[list[str]], int]
    configs: Mapping[frozenset[str], RunConfig]
    outcomes: Outcomes
    stay: bool = False
    """Whether its jobs go on when the sweep ends."""
    tried: dict[frozenset[str], RunConfig] = field(default_factory=dict)
    """The points that a sweeper has made as it went, in their order."""
    fixed: tuple[str, ...] | None = None
    """Of a search, the overrides that all its points have; None of other sweeps."""
    refused: dict[frozenset[str], SnnlabError] = field(default_factory=dict)
    """The points of a search that could not be run, and why."""
    staying: set[frozenset[str]] = field(default_factory=set)
    """The points whose jobs were in the queue of a cluster when the sweep was stopped."""
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
            self.tried[key] = self.check(overrides, config_dirs)
        return self.tried[key]

    def check(self, overrides: Sequence[str], config_dirs: Sequence[str]) -> RunConfig:
        """The config with these overrides, and its data.

        Raises:
            SnnlabError: something is wrong with them.
        """
        return with_data(load(overrides, config_dirs), prepare=True)

    def __call__(self, cfg: DictConfig) -> float:
        """Trains, for launchers that run Python functions: in the sweep's process (basic), or beside a worker.

        Returns:
            The metric that `trainer.select` names, for sweepers that optimise it; of a failed run the worst.

        Raises:
            KeyboardInterrupt: the sweep itself was stopped.
        """
        overrides = list(HydraConfig.get().overrides.task)
        config_dirs = config_dirs_in(HydraConfig.get().searchpath)
        point = self.config(overrides, config_dirs)
        if os.getpid() != self.pid:
            sweep = None if self.stay else self.pid
            return objective(
                point, Beside(self.outcomes, sweep, self._environment()).run(point, overrides, config_dirs)
            )
        words = ["train", *overrides, *(f"--config-dir={one}" for one in config_dirs)]
        code, reason = self._train(words, run_dir(point))
        self.outcomes.write(run_dir(point), Outcome(tuple(overrides), tuple(config_dirs), code, reason))
        if code == PREEMPTED:
            raise KeyboardInterrupt
        return objective(point, code)

    def _train(self, words: list[str], run: Path) -> tuple[int, str]:
        """The exit code, and why it failed; waits first where another process works on the run."""
        heard = Heard(sys.stderr)
        code = IN_USE
        with redirect_stderr(cast(TextIO, heard)):
            while code == IN_USE:
                _wait_for(run)
                try:
                    code = self.train(words)
                except Exception:
                    traceback.print_exc()
                    code = 1
                if running_in(run) is None:
                    break
        return code, reason_in(heard.kept.splitlines(), code) if code not in (0, PREEMPTED) else ""

    def _environment(self) -> dict[str, str]:
        """That of a job: this process's, with the threads of the sweep."""
        given = {name: value for name, value in self.threads.items() if value is not None}
        return {name: value for name, value in os.environ.items() if name not in THREADS} | given


def _wait_for(folder: Path) -> None:
    """Waits while another process works in a run directory, and says so."""
    said = None
    while (holder := running_in(folder)) is not None:
        if holder != said:
            said = holder
            sys.stderr.write(f"{folder}: runs elsewhere, in {holder}; waiting for it\n")
        time.sleep(LOOK_AGAIN_SECONDS)
