"""Sums over the steps of an epoch: loss, its terms, accuracy. Kept on the device, read once an epoch."""

from typing import Any

import torch
from torch import Tensor

from snnlab.train.learner import StepResult


class Meter:
    """Adds up training steps; part of a checkpoint, so a continued epoch reports what an unbroken one would.

    Args:
        device: of the steps.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self.count = 0

    @property
    def sums(self) -> dict[str, Tensor]:
        """The sums so far, [] each; later updates leave them as they are."""
        return dict(self._sums)

    def update(self, result: StepResult) -> None:
        values = {f"loss/{name}": term.double() * result.count for name, term in result.terms.items()}
        values["acc"] = result.correct.double()
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self.count += result.count

    def compute(self, split: str) -> dict[str, float]:
        """Means over the samples: `<split>/loss`, `<split>/loss/<term>`, `<split>/acc`."""
        means = {name: float(value) / max(self.count, 1) for name, value in self._sums.items()}
        loss = sum(value for name, value in means.items() if name.startswith("loss/"))
        return {f"{split}/{name}": value for name, value in {"loss": loss, **means}.items()}

    def reset(self) -> None:
        """Starts the next epoch."""
        self._sums, self.count = {}, 0

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self._sums), "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums = {name: value.to(self._device) for name, value in state["sums"].items()}
        self.count = state["count"]
