"""How far a run has come, which every checkpoint holds, and how far it goes."""

import math
from dataclasses import dataclass, field
from typing import Any

from snnlab.config.schema import TrainerConfig


@dataclass
class Position:
    """The position of a run in its training; part of every checkpoint.

    Attributes:
        epoch: finished epochs.
        step: finished optimiser steps of the current epoch.
        total_steps: finished optimiser steps in all.
        rows: lines of `metrics.jsonl` that belong to this state.
        seconds: time spent in training steps.
        samples: samples seen in that time.
        best: `epoch`, `value` and `metrics` of the best evaluation so far; of equals, the first.
        last: `epoch`, `value` and `metrics` of the last evaluation.
        first_loss: loss of the first training step; None before it, and in checkpoints of earlier versions.
        warnings: what the result warns of, in sentences.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    rows: int = 0
    seconds: float = 0.0
    samples: int = 0
    best: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
    first_loss: float | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Extent:
    """The length of a run.

    Attributes:
        batches: of an epoch, each one forward pass.
        steps_per_epoch: optimiser steps of a whole epoch, which the schedule is made for.
        epochs: number of epochs, the last one perhaps cut short.
        max_steps: optimiser steps in all.
    """

    batches: int
    steps_per_epoch: int
    epochs: int
    max_steps: int

    @classmethod
    def of(cls, trainer: TrainerConfig, samples: int) -> "Extent":
        """The extent of a training on so many samples."""
        batches = math.ceil(samples / trainer.batch_size)
        if trainer.limit_train_batches is not None:
            batches = min(batches, trainer.limit_train_batches)
        steps = math.ceil(batches / trainer.accumulate)
        most = trainer.epochs * steps
        if trainer.max_steps is not None:
            most = min(most, trainer.max_steps)
        return cls(batches, steps, math.ceil(most / steps), most)

    def steps_of(self, epoch: int) -> int:
        """Optimiser steps of an epoch, counted from 0."""
        return min(self.steps_per_epoch, self.max_steps - epoch * self.steps_per_epoch)


def place(position: Position, extent: Extent, seconds_left: float | None = None) -> dict[str, Any]:
    """How far a run is, for `status.json`: finished epochs, epochs in all, and the seconds to its end if known."""
    return {"epoch": position.epoch, "epochs": extent.epochs, "seconds_left": seconds_left}
