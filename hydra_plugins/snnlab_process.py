"""The default Hydra launcher: each point of a sweep in a fresh process.

Hydra finds plugins in this package only; what it does is in `snnlab.sweep.launcher`.
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ProcessLauncher(Launcher):
    """Starts `snnlab train <overrides>` for each point; conf/hydra/launcher/process.yaml has its options."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.stopped = False

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config
        self.task_function = task_function

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from snnlab.runs.load import load
        from snnlab.sweep.launcher import NoMoreRunsError, PointProcesses
        from snnlab.sweep.options import ProcessOptions
        from snnlab.sweep.task import PointTask

        if self.stopped:
            raise NoMoreRunsError  # a sweeper that asks for one job after another may not take an empty answer
        task = self.task_function
        configs = task.config if isinstance(task, PointTask) else load
        processes = PointProcesses(self.config, ProcessOptions(**self.options), configs)
        returns = processes.run([list(overrides) for overrides in job_overrides], initial_job_idx)
        self.stopped = processes.stopped
        if isinstance(task, PointTask):
            task.ended.extend(returns)
        return returns
