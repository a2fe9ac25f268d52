"""No schedule: the optimiser's own learning rate from the first step to the last."""

from torch.optim import Optimizer

from snnlab.schedulers.base import Schedule


class Constant(Schedule):
    """The optimiser's learning rate, unchanged.

    Args:
        optimizer: The optimiser whose rates are set.
        total_epochs: Length of the run.
        steps_per_epoch: Optimiser steps in one epoch.

    Raises:
        ValueError: the run has no epoch or no step.
    """

    def __init__(self, optimizer: Optimizer, total_epochs: int, steps_per_epoch: int) -> None:
        super().__init__(optimizer, total_epochs, steps_per_epoch, "epoch")
        self._set()

    def lr_at(self, epoch: float, base_lr: float) -> float:
        return base_lr
