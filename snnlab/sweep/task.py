"""The function that Hydra's launchers call for each point of a sweep."""

import multiprocessing
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED
from snnlab.runs.data_check import with_data
from snnlab.runs.identity import run_dir
from snnlab.runs.listing import shown
from snnlab.runs.load import load
from snnlab.runs.results import headline, read_result, read_status
from snnlab.sweep.objective import objective
from snnlab.sweep.requeue import requeue_if_warned


@dataclass(frozen=True)
class PointTask:
    """Trains a point in this process; our own launcher starts a process instead, and uses only its `config`.

    Args:
        train: runs a command line in this process.
        configs: the configs that were checked beforehand, by their set of overrides.
    """

    train: Callable[[list[str]], int]
    configs: Mapping[frozenset[str], RunConfig]
    tried: dict[frozenset[str], RunConfig] = field(default_factory=dict)
    """The points that a sweeper has made as it went, in their order."""
    ended: list[JobReturn] = field(default_factory=list)
    """How the processes of our own launcher ended; some sweepers keep that to themselves."""

    def config(self, overrides: Sequence[str], config_dirs: Sequence[str]) -> RunConfig:
        """A point's config; for sweepers that generate points one by one it is checked here."""
        key = frozenset(overrides)
        if key in self.configs:
            return self.configs[key]
        if key not in self.tried:
            self.tried[key] = with_data(load(overrides, config_dirs), prepare=True)
        return self.tried[key]

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

    def __call__(self, cfg: DictConfig) -> float:
        """Trains in this process, for launchers that run Python functions (basic, joblib, submitit).

        Returns:
            The metric that `trainer.select` names, for sweepers that optimise it; of a failed run the worst.
        """
        overrides = list(HydraConfig.get().overrides.task)
        config_dirs = [path.removeprefix("file://") for path in HydraConfig.get().searchpath]
        words = ["train", *overrides, *(f"--config-dir={folder}" for folder in config_dirs)]
        try:
            # The lines of several runs at a time would stand between each other; each is in its run's own log.
            beside = multiprocessing.parent_process() is not None
            run = run_dir(self.config(overrides, config_dirs))
            code = self._beside_others(words, run) if beside else self.train(words)
        except Exception:
            traceback.print_exc()
            code = 1
        if code == PREEMPTED:
            requeue_if_warned(read_status(run_dir(self.config(overrides, config_dirs))).get("reason"))
            raise KeyboardInterrupt
        return objective(self.config(overrides, config_dirs), code)
