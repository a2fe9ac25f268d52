"""Accuracy and calibration at every time step, accumulated over batches and equal to the result of a single batch.

Shape letters: T time steps, B samples, K classes.
"""

from typing import Self

import torch
from torch import Tensor

from snnlab.metrics.step_sums import StepSums


class CalibrationOverTime:
    """Accuracy, NLL, Brier score, ECE, AdaECE and CECE at every time step, for up to three readings of its logits.

    - `step`: the logits of that step alone, as in the per-step tables of the TMC paper (1, 3, A.5).
    - `cum`: the mean of the logits up to that step (TMC paper, Def. 3.1); at the last step it is the
    decision of a rate-coded network.
    - `cumprob`, if `mean_of_softmax`: the mean of the probabilities up to that step, the other meaning of
      the "average predicted probability" of the TMC paper's Table 2.

    Probabilities are a float32 softmax (float64 for float64 logits), sums are float64, and the confidences
    that AdaECE sorts are stored, so the result equals that of `snnlab.metrics.calibration` on all samples,
    whatever the batches. Everything stays on the device of the logits until `compute`. A NaN logit makes the
    metrics of its time step NaN.

    Args:
        num_steps: Time steps T of the logits.
        num_classes: Classes K of the logits.
        bins: Number of bins of the calibration errors; 15 as in the TMC paper.
        include_lowest: Whether the lowest confidence belongs to the first bin; see the functions.
        mean_of_softmax: Whether to measure `cumprob` too.

    Raises:
        ValueError: a number is not positive.
    """

    def __init__(
        self,
        num_steps: int,
        num_classes: int,
        bins: int = 15,
        *,
        include_lowest: bool = False,
        mean_of_softmax: bool = False,
    ) -> None:
        if min(num_steps, num_classes, bins) < 1:
            raise ValueError(f"{num_steps} steps, {num_classes} classes, {bins} bins: none may be below 1")
        self.num_steps = num_steps
        self.num_classes = num_classes
        self._options = (num_steps, num_classes, bins, include_lowest, mean_of_softmax)
        readings = ("step", "cum", "cumprob") if mean_of_softmax else ("step", "cum")
        self._sums = {reading: StepSums(num_steps, num_classes, bins, include_lowest) for reading in readings}
        self._confusion_KK = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    @torch.no_grad()
    def update(self, logits_TBK: Tensor, target_B: Tensor) -> None:
        """Adds a batch, without synchronising with the device.

        Args:
            logits_TBK: Logits of every step, any floating dtype.
            target_B: Class indices, on the same device.

        Raises:
            ValueError: shapes do not fit.
        """
        expected = (self.num_steps, len(target_B), self.num_classes)
        if logits_TBK.shape != expected or target_B.ndim != 1 or target_B.is_floating_point():
            raise ValueError(
                f"expected logits [{self.num_steps}, B, {self.num_classes}] and class indices [B], "
                f"not {list(logits_TBK.shape)} and {target_B.dtype} {list(target_B.shape)}"
            )
        if self._sums["step"].device != logits_TBK.device:
            self.to(logits_TBK.device)
        logits_TBK = logits_TBK if logits_TBK.dtype == torch.float64 else logits_TBK.float()
        target_B = target_B.long()
        steps_T = torch.arange(1, self.num_steps + 1, dtype=logits_TBK.dtype, device=logits_TBK.device)
        steps_T11 = steps_T[:, None, None]
        mean_TBK = logits_TBK.cumsum(0) / steps_T11
        probs_TBK = logits_TBK.softmax(2)
        log_likelihood_TB = _log_likelihood(logits_TBK, target_B)
        self._sums["step"].add(logits_TBK, probs_TBK, log_likelihood_TB, target_B)
        self._sums["cum"].add(mean_TBK, mean_TBK.softmax(2), _log_likelihood(mean_TBK, target_B), target_B)
        pairs_B = target_B * self.num_classes + mean_TBK[-1].argmax(1)
        self._confusion_KK.view(-1).index_add_(0, pairs_B, torch.ones_like(pairs_B))
        if "cumprob" in self._sums:
            mean_probs_TBK = probs_TBK.cumsum(0) / steps_T11
            log_mean_TB = log_likelihood_TB.logcumsumexp(0) - steps_T[:, None].log()
            self._sums["cumprob"].add(mean_probs_TBK, mean_probs_TBK, log_mean_TB, target_B)

    def compute(self) -> dict[str, float]:
        """Returns `acc_step/t1`, `acc_cum/t1`, ... for acc, nll, brier, ece, adaece and cece, steps from 1.

        The plain names `acc`, `nll`, ... are `cum` at the last step.

        Raises:
            ValueError: no sample was added.
        """
        if self._sums["cum"].count == 0:
            raise ValueError("no samples to measure: update() was never called, or with empty batches only")
        values: dict[str, float] = {}
        overall: dict[str, float] = {}
        for reading, sums in self._sums.items():
            for name, metric_T in sums.metrics().items():
                at_step = metric_T.tolist()
                values |= {f"{name}_{reading}/t{step}": value for step, value in enumerate(at_step, start=1)}
                if reading == "cum":
                    overall[name] = at_step[-1]
        return values | overall

    def reliability(self) -> dict[str, dict[str, list[list[float]]]]:
        """Returns the data of a reliability diagram for `step`, `cum` and, if it is measured, `cumprob`.

        Each has `count`, `confidence` (mean) and `accuracy` as lists [T][bins] over bins of equal width;
        the two means are NaN where the count is 0.
        """
        return {reading: sums.reliability() for reading, sums in self._sums.items()}

    def confusion(self) -> list[list[int]]:
        """Returns the confusion matrix (rows: true class, columns: predicted) for the mean of all steps' logits."""
        counts: list[list[int]] = self._confusion_KK.tolist()
        return counts

    def merge(self, other: "CalibrationOverTime") -> None:
        """Adds the samples of another object, e.g. of another process, after moving them to this one's device.

        Raises:
            ValueError: the other object has different options.
        """
        if self._options != other._options:
            raise ValueError(f"cannot merge: made with {other._options}, this with {self._options}")
        for reading, sums in self._sums.items():
            sums.merge(other._sums[reading])
        self._confusion_KK += other._confusion_KK.to(self._confusion_KK.device)

    def to(self, device: torch.device | str) -> Self:
        """Moves the sums to a device. `update` moves them to the device of its batch."""
        for sums in self._sums.values():
            sums.to(device)
        self._confusion_KK = self._confusion_KK.to(device)
        return self


def _log_likelihood(logits_TBK: Tensor, target_B: Tensor) -> Tensor:
    index_TB1 = target_B[None, :, None].expand(len(logits_TBK), -1, 1)
    return logits_TBK.log_softmax(2).gather(2, index_TB1).squeeze(2)
