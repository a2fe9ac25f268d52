"""Step decay: the learning rate is multiplied by a factor at given epochs."""

from torch.optim import Optimizer

from snnlab.ranges import Fraction
from snnlab.schedulers.base import Schedule


class Step(Schedule):
    """The learning rate is multiplied by `gamma` at each of the milestones.

    Args:
        optimizer: The optimiser whose rates are set.
        total_epochs: Length of the run.
        steps_per_epoch: Optimiser steps in one epoch.
        milestones: epochs, from 0, from whose beginning on the learning rate is smaller. The default divides
            a run of 300 epochs in three.
        gamma: factor at each milestone.

    Raises:
        ValueError: the run has no epoch or no step, or a milestone is negative.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_epochs: int,
        steps_per_epoch: int,
        *,
        milestones: tuple[int, ...] = (100, 200),
        gamma: Fraction = 0.1,
    ) -> None:
        super().__init__(optimizer, total_epochs, steps_per_epoch, "epoch")
        if any(milestone < 0 for milestone in milestones):
            raise ValueError(f"milestones are epochs from 0 on, not {list(milestones)}")
        self.milestones = tuple(milestones)
        self.gamma = gamma
        self._set()

    def lr_at(self, epoch: float, base_lr: float) -> float:
        return float(base_lr * self.gamma ** sum(milestone <= epoch for milestone in self.milestones))
