"""Sums over samples for one reading of the logits at each time step.

Shape letters: T time steps, B samples, K classes, M bins. Sums are float64; nothing here synchronises with a GPU.
"""

import torch
from torch import Tensor

from snnlab.binned_error import binned_error
from snnlab.metrics.binning import equal_width_index, sum_by_bin, top_label
from snnlab.metrics.calibration import adaptive_error_of, classwise_gaps


class StepSums:
    """Running sums at every time step, and the metrics computed from them.

    The confidence and correctness of every prediction are stored as well, 5 bytes per sample and step, because bins
    of equal mass need all confidences sorted.
    """

    def __init__(self, num_steps: int, num_classes: int, bins: int, include_lowest: bool) -> None:
        self.bins = bins
        self.include_lowest = include_lowest
        self.count = 0
        shapes = {
            "nll_T": (num_steps,),
            "brier_T": (num_steps,),
            "count_TM": (num_steps, bins + 1),
            "confidence_TM": (num_steps, bins + 1),
            "correct_TM": (num_steps, bins + 1),
            "class_gap_TKM": (num_steps, num_classes, bins + 1),
        }
        self.sums = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in shapes.items()}
        self.confidences_TB: list[Tensor] = []
        self.corrects_TB: list[Tensor] = []

    @property
    def device(self) -> torch.device:
        return self.sums["nll_T"].device

    def add(self, scores_TBK: Tensor, probs_TBK: Tensor, log_likelihood_TB: Tensor, target_B: Tensor) -> None:
        """Adds a batch; the prediction is the largest score."""
        confidence_TB, correct_TB = top_label(scores_TBK, probs_TBK, target_B)
        index_TB = equal_width_index(confidence_TB, self.bins, self.include_lowest)
        index_TB1 = target_B[None, :, None].expand(len(probs_TBK), -1, 1)
        target_probs_TB = probs_TBK.gather(2, index_TB1).squeeze(2).double()
        brier_TB = probs_TBK.double().square().sum(2) - 2 * target_probs_TB + 1
        batch = {
            "nll_T": -log_likelihood_TB.double().sum(1),
            "brier_T": brier_TB.sum(1),
            "count_TM": sum_by_bin(torch.ones_like(confidence_TB), index_TB, self.bins),
            "confidence_TM": sum_by_bin(confidence_TB, index_TB, self.bins),
            "correct_TM": sum_by_bin(correct_TB, index_TB, self.bins),
            "class_gap_TKM": classwise_gaps(probs_TBK, target_B, self.bins, self.include_lowest),
        }
        self._add(batch, len(target_B), [confidence_TB], [correct_TB == 1])

    def merge(self, other: "StepSums") -> None:
        """Adds the samples of another object."""
        self._add(other.sums, other.count, other.confidences_TB, other.corrects_TB)

    def to(self, device: torch.device | str) -> None:
        """Moves all sums to a device."""
        self.sums = {name: values.to(device) for name, values in self.sums.items()}
        self.confidences_TB = [chunk.to(device) for chunk in self.confidences_TB]
        self.corrects_TB = [chunk.to(device) for chunk in self.corrects_TB]

    def metrics(self) -> dict[str, Tensor]:
        """Returns every metric at every step [T]."""
        sums = self.sums
        gap_TM = sums["confidence_TM"] - sums["correct_TM"]
        confidence_TN = torch.cat(self.confidences_TB, 1)
        correct_TN = torch.cat(self.corrects_TB, 1)
        adaptive = [
            adaptive_error_of(confidence_N, correct_N.double(), self.bins, self.include_lowest)
            for confidence_N, correct_N in zip(confidence_TN, correct_TN, strict=True)
        ]
        return {
            "acc": sums["correct_TM"].sum(1) / self.count,
            "nll": sums["nll_T"] / self.count,
            "brier": sums["brier_T"] / self.count,
            "ece": binned_error(gap_TM[:, 1:], self.count),
            "adaece": torch.stack(adaptive),
            "cece": binned_error(sums["class_gap_TKM"][:, :, 1:], 1).mean(1) / self.count,
        }

    def reliability(self) -> dict[str, list[list[float]]]:
        """Returns count, mean confidence and accuracy of each bin at each step [T][M]; NaN for an empty bin."""
        count_TM = self.sums["count_TM"][:, 1:]
        return {
            "count": count_TM.tolist(),
            "confidence": (self.sums["confidence_TM"][:, 1:] / count_TM).tolist(),
            "accuracy": (self.sums["correct_TM"][:, 1:] / count_TM).tolist(),
        }

    def _add(
        self, sums: dict[str, Tensor], count: int, confidences_TB: list[Tensor], corrects_TB: list[Tensor]
    ) -> None:
        device = self.device
        self.count += count
        self.sums = {name: values + sums[name].to(device) for name, values in self.sums.items()}
        self.confidences_TB += [chunk.to(device) for chunk in confidences_TB]
        self.corrects_TB += [chunk.to(device) for chunk in corrects_TB]
