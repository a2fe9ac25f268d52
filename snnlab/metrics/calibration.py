"""Accuracy and calibration of a classifier: accuracy, NLL, Brier score, ECE, AdaECE and CECE.

Shape letters: N samples, K classes. Every function returns a float64 scalar on the device of the
probabilities, a fraction where it is one (not percent), and NaN when a probability is NaN.
"""

import torch
from torch import Tensor

from snnlab.binned_error import binned_error
from snnlab.metrics.binning import equal_mass_index, equal_width_index, sum_by_bin, top_label


def accuracy(probs_NK: Tensor, target_N: Tensor) -> Tensor:
    """Share of the samples whose most probable class is the target (the first of equally probable ones).

    Raises:
        ValueError: shapes do not fit, there is no sample, or a probability is below 0 or above 1.
    """
    probs_NK = _checked(probs_NK, target_N)
    return top_label(probs_NK, probs_NK, target_N)[1].double().mean()


def negative_log_likelihood(probs_NK: Tensor, target_N: Tensor) -> Tensor:
    """Mean of `-log p` of the target class, in nats; infinite where a target has probability 0.

    Raises:
        ValueError: shapes do not fit, there is no sample, or a probability is below 0 or above 1.
    """
    probs_NK = _checked(probs_NK, target_N)
    target_probs_N = probs_NK.double().gather(1, target_N.long()[:, None]).squeeze(1)
    return -(target_probs_N + 0 * probs_NK.sum(1)).log().mean()


def brier_score(probs_NK: Tensor, target_N: Tensor) -> Tensor:
    """Mean of `sum_k (p_k - y_k)^2` with y the one-hot target: Brier's own (1950), between 0 and 2.

    Raises:
        ValueError: shapes do not fit, there is no sample, or a probability is below 0 or above 1.
    """
    probs_NK = _checked(probs_NK, target_N).double()
    return (probs_NK - _one_hot(target_N, probs_NK)).square().sum(1).mean()


def expected_calibration_error(
    probs_NK: Tensor, target_N: Tensor, bins: int = 15, *, include_lowest: bool = False
) -> Tensor:
    """ECE (Naeini et al., 2015): mean over samples of the gap between confidence and accuracy in their bin.

    `sum_m n_m / N |mean confidence_m - accuracy_m|`, with the confidence of the predicted class in `bins`
    bins of equal width, each `(low, high]`.

    Args:
        probs_NK: Probabilities of each class.
        target_N: Class indices.
        bins: Number of bins; 15 as in the TMC paper.
        include_lowest: Whether a probability of exactly 0 belongs to the first bin. In the code that the TMC
            paper's definitions come from it belongs to none, which is the default.

    Raises:
        ValueError: shapes do not fit, there is no sample, a probability is below 0 or above 1, or `bins` is not
            positive.
    """
    probs_NK = _checked(probs_NK, target_N, bins)
    confidence_N, correct_N = top_label(probs_NK, probs_NK, target_N)
    index_N = equal_width_index(confidence_N, bins, include_lowest)
    return _error(sum_by_bin(confidence_N.double() - correct_N, index_N, bins), len(target_N))


def adaptive_calibration_error(
    probs_NK: Tensor, target_N: Tensor, bins: int = 15, *, include_lowest: bool = False
) -> Tensor:
    """AdaECE (Nguyen and O'Connor, 2015; Mukhoti et al., 2020): ECE with about as many samples in each bin.

    The edges are the sorted confidences, interpolated linearly, at the positions 0, N/M, 2N/M, ..., N.

    Args:
        probs_NK: Probabilities of each class.
        target_N: Class indices.
        bins: Number of bins M.
        include_lowest: Whether the samples that have the lowest of all confidences belong to the first bin.
            In the code that the TMC paper's definitions come from they belong to none, which is the
            default: one sample is left out as a rule, but as many as there are ties at the lowest
            confidence. Where all confidences are equal there is one bin with all samples in either case.

    Raises:
        ValueError: shapes do not fit, there is no sample, a probability is below 0 or above 1, or `bins` is not
            positive.
    """
    probs_NK = _checked(probs_NK, target_N, bins)
    return adaptive_error_of(*top_label(probs_NK, probs_NK, target_N), bins, include_lowest)


def classwise_calibration_error(
    probs_NK: Tensor, target_N: Tensor, bins: int = 15, *, include_lowest: bool = False
) -> Tensor:
    """CECE (Kull et al., 2019): mean over the classes of the calibration error of that class's probability.

    `1/K sum_k sum_m n_mk / N |mean p_k in bin m - share of class k among the samples of bin m|`, each class
    with all N samples in `bins` bins of equal width of its probability, each `(low, high]`.

    Args:
        probs_NK: Probabilities of each class.
        target_N: Class indices.
        bins: Number of bins; 15 as in the TMC paper.
        include_lowest: Whether a probability of exactly 0 belongs to the first bin. In the code that the TMC
            paper's definitions come from it belongs to none, which is the default; that leaves out the
            samples whose own class has probability 0, and changes nothing for all others.

    Raises:
        ValueError: shapes do not fit, there is no sample, a probability is below 0 or above 1, or `bins` is not
            positive.
    """
    probs_NK = _checked(probs_NK, target_N, bins)
    return _error(classwise_gaps(probs_NK, target_N, bins, include_lowest), len(target_N)).mean()


def adaptive_error_of(confidence_N: Tensor, correct_N: Tensor, bins: int, include_lowest: bool) -> Tensor:
    """AdaECE from the confidence and the correctness (1 or 0) of each prediction."""
    index_N = equal_mass_index(confidence_N, bins, include_lowest)
    return _error(sum_by_bin(confidence_N.double() - correct_N, index_N, bins), len(confidence_N))


def classwise_gaps(probs_NK: Tensor, target_N: Tensor, bins: int, include_lowest: bool) -> Tensor:
    """Returns the sums of `p_k - y_k` over the samples of each bin, for each class: [..., K, M + 1]."""
    gaps_KN = (probs_NK.double() - _one_hot(target_N, probs_NK)).transpose(-1, -2)
    index_KN = equal_width_index(probs_NK, bins, include_lowest).transpose(-1, -2)
    return sum_by_bin(gaps_KN, index_KN, bins)


def _error(gap_sums_M: Tensor, count: int) -> Tensor:
    error: Tensor = binned_error(gap_sums_M[..., 1:], count)
    return error


def _one_hot(target_N: Tensor, like_NK: Tensor) -> Tensor:
    classes = torch.arange(like_NK.shape[-1], device=target_N.device)
    return (target_N[:, None] == classes).double()


def _checked(probs_NK: Tensor, target_N: Tensor, bins: int = 1) -> Tensor:
    if probs_NK.ndim != 2 or 0 in probs_NK.shape or not probs_NK.is_floating_point():
        raise ValueError(
            f"probabilities must be floating point of shape [N, K] with no size 0, "
            f"not {probs_NK.dtype} {list(probs_NK.shape)}"
        )
    if target_N.shape != probs_NK.shape[:1] or target_N.is_floating_point():
        raise ValueError(
            f"target must be {len(probs_NK)} class indices [N], not {target_N.dtype} {list(target_N.shape)}"
        )
    # NaN is accepted and propagates to the result.
    if ((probs_NK < 0) | (probs_NK > 1.001)).any():
        raise ValueError("probabilities must be between 0 and 1; of logits, take logits.softmax(-1)")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    return probs_NK if probs_NK.dtype == torch.float64 else probs_NK.float()
