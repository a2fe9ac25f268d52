"""The loss of a whole pass over held-out data, from batches of any size.

Shape letters: T time steps, B samples, K classes, P batches.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from snnlab.losses.base import Loss

Parts = tuple[list[Tensor], list[int]]


class PassLoss:
    """The loss of a pass over held-out data, the same for any size of the batches. Nothing is read before `compute`.

    Args:
        loss: the loss.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._parts: list[Tensor] = []
        self.counts: list[int] = []

    @torch.no_grad()
    def update(self, logits_TBK: Tensor, target_B: Tensor) -> None:
        """Adds a batch; in float64, so that the order of the sums does not show."""
        self._parts.append(self._loss.part(logits_TBK.double(), target_B))
        self.counts.append(len(target_B))

    def parts(self) -> Parts:
        """Returns what other processes need: the batches' parts on the CPU, and their sizes."""
        stacked = list(torch.stack(self._parts).cpu()) if self._parts else []
        return stacked, self.counts

    def compute(self, of_processes: Sequence[Parts] | None = None) -> float:
        """Returns the loss, of the batches of all processes if theirs are given; NaN without a sample."""
        gathered = [self.parts()] if of_processes is None else of_processes
        parts = [one for batches, _ in gathered for one in batches]
        counts = [one for _, sizes in gathered for one in sizes]
        if not parts:
            return math.nan
        counts_P = torch.tensor(counts, dtype=torch.float64)
        return float(self._loss.of_parts(torch.stack(parts), counts_P))
