"""Rows of single optimiser steps for dashboards: means over an interval, without a read of the device in between."""

from typing import Any

import torch
from torch import Tensor

from snnlab.train.meter import Meter


class StepRows:
    """Keeps the epoch's sums at every `every`-th step; they are read together, when a checkpoint reads the device too.

    Args:
        every: optimiser steps in an interval; None: no rows.
    """

    def __init__(self, every: int | None) -> None:
        self._every = every
        self._kept: list[tuple[dict[str, Any], dict[str, Tensor], int]] = []
        self._before: dict[str, float] = {}
        self._count = 0

    def step(self, meter: Meter, *, number: int, epoch: int, rate: float) -> None:
        """Called after each optimiser step.

        Args:
            meter: the sums of the epoch, this step among them.
            number: of the step, from 1.
            epoch: finished epochs.
            rate: the learning rate of the step.
        """
        if self._every is not None and number % self._every == 0:
            place = {"step": number, "epoch": epoch, "split": "train_step", "train_step/lr": rate}
            self._kept.append((place, meter.sums, meter.count))

    def take(self) -> list[dict[str, Any]]:
        """The rows since the last call: each the mean since the row before, or since the epoch began."""
        if not self._kept:
            return []
        names = list(self._kept[0][1])
        values = torch.stack(
            [torch.stack([sums[name] for name in names]) for _, sums, _ in self._kept]
        ).tolist()
        rows = []
        for (place, _, count), sums in zip(self._kept, values, strict=True):
            now = dict(zip(names, sums, strict=True))
            samples = count - self._count
            means = {name: (value - self._before.get(name, 0.0)) / samples for name, value in now.items()}
            loss = sum(value for name, value in means.items() if name.startswith("loss/"))
            rows.append(
                place | {f"train_step/{name}": value for name, value in {"loss": loss, **means}.items()}
            )
            self._before, self._count = now, count
        self._kept = []
        return rows

    def new_epoch(self) -> None:
        """Called after `take` when the epoch's sums begin at 0 again."""
        assert not self._kept
        self._before, self._count = {}, 0

    def state_dict(self) -> dict[str, Any]:
        return {"before": dict(self._before), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._before, self._count = dict(state["before"]), state["count"]
