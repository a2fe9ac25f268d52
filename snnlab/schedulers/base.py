"""The interface of all schedules: a learning rate that is a function of the position in the run.

The rate is computed from the number of optimiser steps taken, never from the previous rate, so a resumed run has
exactly the rates of an uninterrupted one.
"""

from abc import ABC, abstractmethod
from typing import Literal

from torch.optim import Optimizer


class Schedule(ABC):
    """Sets the learning rate of every group when it is made and after each optimiser step.

    Args:
        optimizer: Its groups' learning rates at this moment are the rates that the schedule scales.
        total_epochs: Length of the run.
        steps_per_epoch: Optimiser steps in one epoch.
        per: `epoch` keeps a rate for a whole epoch, `step` changes it at every step.

    Raises:
        ValueError: a length is not positive.
    """

    def __init__(
        self, optimizer: Optimizer, total_epochs: int, steps_per_epoch: int, per: Literal["epoch", "step"]
    ) -> None:
        if total_epochs < 1 or steps_per_epoch < 1:
            raise ValueError(
                f"a run needs epochs and steps, not {total_epochs} epochs of {steps_per_epoch} steps"
            )
        self._optimizer = optimizer
        self._total_epochs = total_epochs
        self._steps_per_epoch = steps_per_epoch
        self._per = per
        self._steps = 0
        self._base_lrs = [float(group["lr"]) for group in optimizer.param_groups]

    @abstractmethod
    def lr_at(self, epoch: float, base_lr: float) -> float:
        """Returns the learning rate at a position in epochs from 0, for a group with the rate `base_lr`."""

    def step(self) -> None:
        """Updates the learning rates; must be called after every optimiser step."""
        self._steps += 1
        self._set()

    def state_dict(self) -> dict[str, int | list[float]]:
        """Returns the number of optimiser steps taken and the groups' own rates."""
        return {"steps": self._steps, "base_lrs": list(self._base_lrs)}

    def load_state_dict(self, state: dict[str, int | list[float]]) -> None:
        """Continues from `state_dict`, and sets the learning rates of that position.

        Raises:
            ValueError: the state belongs to an optimiser with another number of groups.
        """
        steps, base_lrs = state["steps"], state["base_lrs"]
        assert isinstance(steps, int)
        assert isinstance(base_lrs, list)
        if len(base_lrs) != len(self._base_lrs):
            raise ValueError(
                f"the saved schedule has {len(base_lrs)} parameter groups, "
                f"the optimiser has {len(self._base_lrs)}"
            )
        self._steps, self._base_lrs = steps, list(base_lrs)
        self._set()

    def _set(self) -> None:
        epoch = self._steps / self._steps_per_epoch
        if self._per == "epoch":
            epoch = self._steps // self._steps_per_epoch
        epoch = min(epoch, self._total_epochs)
        for group, base_lr in zip(self._optimizer.param_groups, self._base_lrs, strict=True):
            group["lr"] = self.lr_at(epoch, base_lr)
