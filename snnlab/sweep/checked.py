"""The trials of a search, each checked before its launcher gets it: one that is refused has failed, others go on."""

import sys
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from snnlab.config.compose import config_dirs_in
from snnlab.errors import SnnlabError
from snnlab.sweep.launcher import Stoppable, SweepStoppedError
from snnlab.sweep.names import names_of
from snnlab.sweep.objective import goal, worst
from snnlab.sweep.task import PointTask


class CheckedLauncher(Launcher):
    """Stands before a launcher of a search.

    Args:
        launcher: the launcher, ready to launch.
        config: Hydra's config of the sweep.
        task: checks a trial, and keeps those that are refused.
    """

    def __init__(self, launcher: Launcher, config: DictConfig, task: PointTask) -> None:
        self.launcher = launcher
        self.config = config
        self.task = task
        self.config_dirs = config_dirs_in(config.hydra.searchpath)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Nothing: the launcher is set up."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        if isinstance(self.launcher, Stoppable) and self.launcher.stopped:
            # The launcher ends the search, so these are no trials.
            return self.launcher.launch(job_overrides, initial_job_idx)
        refused, accepted = {}, {}
        for index, overrides in enumerate(job_overrides):
            if (error := self._refusal(overrides)) is None:
                accepted[index] = list(overrides)
            else:
                refused[index] = (list(overrides), error)
        # Those that are refused have the first numbers.
        points = [*(overrides for overrides, _ in refused.values()), *accepted.values()]
        names = names_of(points, initial_job_idx, self.config)
        for name, (overrides, error) in zip(names, refused.values(), strict=False):
            self.task.refused[frozenset(overrides)] = error
            sys.stdout.write(
                f"{name}: FAILED before it began\n    error: {error.message}\n    hint: {error.hint}\n"
            )
        sys.stdout.flush()
        if refused and self.config.hydra.launcher.get("on_error") == "stop":
            raise SweepStoppedError
        value = worst(goal(self.config))
        found = {index: JobReturn(status=JobStatus.COMPLETED, _return_value=value) for index in refused}
        if accepted:
            launched = self.launcher.launch(list(accepted.values()), initial_job_idx + len(refused))
            found |= dict(zip(accepted, launched, strict=False))
        return [found[index] for index in sorted(found)]

    def _refusal(self, overrides: Sequence[str]) -> SnnlabError | None:
        """Why a trial cannot be run.

        Raises:
            SnnlabError: nor can what the command line fixes, so no trial can.
        """
        try:
            self.task.config(overrides, self.config_dirs)
        except SnnlabError as error:
            if not (self.task.refused or self.task.tried):
                self._refuse_what_is_fixed(error)
            return error
        return None

    def _refuse_what_is_fixed(self, error: SnnlabError) -> None:
        assert self.task.fixed is not None
        try:
            self.task.check(self.task.fixed, self.config_dirs)
        except SnnlabError as other:
            if other.message == error.message:
                raise
