"""Early exit (SEENN-I): a sample stops at the first step whose confidence is above a threshold.

Shape letters: T time steps, B samples, K classes, N thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Reading = Literal["sum", "mean"]


@dataclass(frozen=True)
class Exits:
    """The results for one threshold.

    Attributes:
        threshold: confidence above which a sample stops.
        acc: share of the samples that are classified correctly at their exit.
        mean_steps: mean number of time steps of a sample.
        histogram: numbers of samples that stop after step 1, 2, ..., T.
    """

    threshold: float
    acc: float
    mean_steps: float
    histogram: tuple[int, ...]


class EarlyExit:
    """Accuracy and number of steps under early exit, for many thresholds in one pass over the data.

    After each step the confidence is the largest probability of the logits accumulated so far; a sample
    stops at the first step where it is strictly greater than the threshold, at the latest at the last step (Li
    et al. 2023, "SEENN", its variant I, released code). Sums stay on the device of the logits.

    Args:
        num_steps: Greatest number of time steps T.
        thresholds: Confidences from 0 to 1.
        logits: `sum`: softmax of the summed logits, as in SEENN's released code; `mean`: softmax of their mean,
            which is less confident and exits later.

    Raises:
        ValueError: there is no threshold, or no step.
    """

    def __init__(self, num_steps: int, thresholds: Sequence[float], logits: Reading = "sum") -> None:
        if num_steps < 1 or not thresholds:
            raise ValueError(f"{num_steps} steps and {len(thresholds)} thresholds: at least one of each")
        self.num_steps = num_steps
        self.thresholds = tuple(thresholds)
        self.logits: Reading = logits
        self._exits_NT = torch.zeros(len(self.thresholds), num_steps, dtype=torch.long)
        self._correct_N = torch.zeros(len(self.thresholds), dtype=torch.long)

    @torch.no_grad()
    def update(self, logits_TBK: Tensor, target_B: Tensor) -> tuple[Tensor, Tensor]:
        """Adds a batch.

        Args:
            logits_TBK: Logits of every step.
            target_B: Class indices.

        Returns:
            Exit steps, counted from 1, and predicted classes, both [N, B].

        Raises:
            ValueError: the number of time steps is not `num_steps`.
        """
        if len(logits_TBK) != self.num_steps:
            raise ValueError(f"expected logits of {self.num_steps} steps, got {len(logits_TBK)}")
        accumulated_TBK = accumulate(logits_TBK, self.logits)
        confidence_TB, classes_TB = accumulated_TBK.softmax(2).max(2)
        thresholds_N = torch.tensor(self.thresholds, device=logits_TBK.device, dtype=confidence_TB.dtype)
        sure_NTB = confidence_TB > thresholds_N[:, None, None]
        sure_NTB[:, -1] = True
        # argmax returns the first of equal values.
        exit_NB = sure_NTB.int().argmax(1)
        predicted_NB = classes_TB.expand(len(self.thresholds), -1, -1).gather(1, exit_NB[:, None]).squeeze(1)
        self._exits_NT = self._exits_NT.to(exit_NB.device)
        self._exits_NT += torch.nn.functional.one_hot(exit_NB, self.num_steps).sum(1)
        self._correct_N = self._correct_N.to(exit_NB.device) + (predicted_NB == target_B).sum(1)
        return exit_NB + 1, predicted_NB

    def compute(self) -> list[Exits]:
        """Returns the results for each threshold, in their order.

        Raises:
            ValueError: no sample was added.
        """
        if int(self._exits_NT.sum()) == 0:
            raise ValueError("no samples to measure: update() was never called, or with empty batches only")
        found = []
        rows = zip(self.thresholds, self._correct_N.tolist(), self._exits_NT.tolist(), strict=True)
        for threshold, correct, histogram in rows:
            count = sum(histogram)
            steps = sum(step * exits for step, exits in enumerate(histogram, start=1))
            found.append(Exits(threshold, correct / count, steps / count, tuple(histogram)))
        return found


def accumulate(logits_TBK: Tensor, logits: Reading) -> Tensor:
    """Returns the sum or mean of the logits up to every step, [T, B, K] in float32 (float64 stays)."""
    logits_TBK = logits_TBK if logits_TBK.dtype == torch.float64 else logits_TBK.float()
    summed_TBK = logits_TBK.cumsum(0)
    if logits == "sum":
        return summed_TBK
    steps_T = torch.arange(1, len(logits_TBK) + 1, dtype=logits_TBK.dtype, device=logits_TBK.device)
    return summed_TBK / steps_T[:, None, None]
