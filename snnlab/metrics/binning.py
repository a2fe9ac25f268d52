"""Sums over bins of confidence: the arithmetic that the three calibration errors share.

Shape letters: N samples, K classes, M bins, `...` any leading dimensions. Sums are float64. Nothing here
synchronises with a GPU. A NaN confidence goes into the last bin (`bucketize` treats it as the largest number), so
the result is NaN and the sample is not lost.
"""

import torch
from torch import Tensor


def top_label(scores_NK: Tensor, probs_NK: Tensor, target_N: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the confidence [..., N] of the predicted class and its correctness: 1, 0, or NaN for NaN.

    The prediction is the largest score, the first of equal ones.
    """
    confidence_N = probs_NK.amax(-1)
    correct_N = (scores_NK.argmax(-1) == target_N).to(probs_NK.dtype)
    return confidence_N, correct_N.masked_fill(confidence_N.isnan(), torch.nan)


def equal_width_index(probs_N: Tensor, bins: int, include_lowest: bool) -> Tensor:
    """Returns the bin 1..M of each probability in M bins of equal width, each `(low, high]`; 0 means no bin.

    Only exactly 0 is in no bin, unless `include_lowest` closes the first one.
    """
    # Divided in float64 and rounded once, so that a probability that is an edge compares equal to it.
    edges = torch.arange(bins + 1, dtype=torch.float64, device=probs_N.device) / bins
    return torch.bucketize(probs_N, edges.to(probs_N.dtype)).clamp(min=1 if include_lowest else 0, max=bins)


def equal_mass_index(confidence_N: Tensor, bins: int, include_lowest: bool) -> Tensor:
    """Returns the bin 1..M of each confidence in M bins of about equal numbers of samples; 0 means no bin.

    The edges are the sorted confidences, interpolated linearly, at positions 0, N/M, ..., N counted from 0
    (the last sample beyond N - 1). Bins are `(low, high]`, so the lowest confidence is in no bin, unless
    `include_lowest`. If all confidences are equal, all are in one bin.
    """
    confidence_N = confidence_N.double()
    count = len(confidence_N)
    sorted_N = confidence_N.sort().values
    positions = torch.arange(bins + 1, dtype=torch.float64, device=confidence_N.device) * (count / bins)
    positions = positions.clamp(max=count - 1)
    below = positions.long()
    above = (below + 1).clamp(max=count - 1)
    edges = (sorted_N[above] - sorted_N[below]) * (positions - below) + sorted_N[below]
    index_N = torch.bucketize(confidence_N, edges).clamp(min=1 if include_lowest else 0, max=bins)
    return torch.where(edges[0] == edges[-1], 1, index_N)


def sum_by_bin(values_N: Tensor, index_N: Tensor, bins: int) -> Tensor:
    """Sums the values [..., N] of each bin, in float64: [..., M + 1], where index 0 holds the values in no bin."""
    zeros = torch.zeros(*index_N.shape[:-1], bins + 1, dtype=torch.float64, device=index_N.device)
    return zeros.scatter_add(-1, index_N, values_N.double())
