"""Cosine annealing with an optional warm-up before it and an optional cool-down after it."""

import math
from typing import Literal

from torch.optim import Optimizer

from snnlab.ranges import NonNegative, NonNegativeInt
from snnlab.schedulers.base import Schedule


class Cosine(Schedule):
    """Half a cosine from the optimiser's learning rate down to `min_lr` over the run, with optional warm-up.

    `lr(e) = min_lr + (base - min_lr) (1 + cos(pi e / E)) / 2`, with e in epochs from 0. With `per=epoch`
    and no warm-up this is `torch.optim.lr_scheduler.CosineAnnealingLR(T_max=epochs)`, stepped once per epoch.

    Args:
        optimizer: The optimiser whose rates are set.
        total_epochs: Length of the run.
        steps_per_epoch: Optimiser steps in one epoch.
        min_lr: learning rate where the cosine ends.
        warmup_epochs: epochs of linear growth from warmup_start_lr to the optimiser's learning rate.
        warmup_start_lr: learning rate at the very start of a warm-up. In Spikformer 1e-5; at 0 a first epoch
            with `per=epoch` would train nothing.
        warmup_prefix: true: the cosine begins after the warm-up | false: the warm-up covers its beginning
            (timm). After the warm-up it takes the epochs that are left.
        cooldown_epochs: epochs at min_lr at the end of the run.
        epochs_before: epochs of the same cosine that another run has had before, warm-up included: this run goes on
            behind them. 203 in TMC's fine-tuning of QKFormer, which has 213 in all.
        per: epoch | step: how often the learning rate changes. The papers' code keeps a rate for a whole
            epoch.

    Raises:
        ValueError: the run has no epoch or no step.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_epochs: int,
        steps_per_epoch: int,
        *,
        min_lr: NonNegative = 0.0,
        warmup_epochs: NonNegativeInt = 0,
        warmup_start_lr: NonNegative = 1e-5,
        warmup_prefix: bool = True,
        cooldown_epochs: NonNegativeInt = 0,
        epochs_before: NonNegativeInt = 0,
        per: Literal["epoch", "step"] = "epoch",
    ) -> None:
        super().__init__(optimizer, total_epochs, steps_per_epoch, per)
        self.min_lr = min_lr
        self.warmup_epochs = warmup_epochs
        self.warmup_start_lr = warmup_start_lr
        self._cosine_start = warmup_epochs if warmup_prefix else 0
        self._before = epochs_before
        self._cosine_end = epochs_before + total_epochs - cooldown_epochs
        self._set()

    def lr_at(self, epoch: float, base_lr: float) -> float:
        epoch += self._before
        if epoch < self.warmup_epochs:
            return self.warmup_start_lr + (base_lr - self.warmup_start_lr) * epoch / self.warmup_epochs
        if epoch >= self._cosine_end:
            return self.min_lr
        done = (epoch - self._cosine_start) / (self._cosine_end - self._cosine_start)
        return self.min_lr + (base_lr - self.min_lr) * (1 + math.cos(math.pi * done)) / 2
