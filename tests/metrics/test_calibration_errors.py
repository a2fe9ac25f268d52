"""The metrics against torchmetrics, scikit-learn and plain NumPy loops, and each edge case of the binning."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from torchmetrics.classification import MulticlassCalibrationError

from snnlab.metrics import (
    accuracy,
    adaptive_calibration_error,
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
)
from snnlab.metrics.binning import equal_width_index

BINNED = [expected_calibration_error, adaptive_calibration_error, classwise_calibration_error]
ALL = [accuracy, negative_log_likelihood, brier_score, *BINNED]


def make(n, k, seed=0, scale=2.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, generator=generator, dtype=torch.float64) * scale
    # Some relation between the two, or every metric would only see noise.
    target = (logits + 2 * torch.randn(n, k, generator=generator, dtype=torch.float64)).argmax(1)
    return logits.softmax(1).to(dtype), target


def loop_over_bins(value, hit, edges, include_lowest=False):
    """sum_m n_m / N |mean value - mean hit| over bins (low, high]."""
    total = 0.0
    for m, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = (value > low) & (value <= high)
        if include_lowest and m == 0:
            inside |= value == low
        if inside.any():
            total += inside.mean() * abs(value[inside].mean() - hit[inside].mean())
    return total


def confidence_and_hit(probs, target):
    return probs.max(1).values.double().numpy(), (probs.argmax(1) == target).double().numpy()


def ece_by_loop(probs, target, bins, include_lowest=False):
    return loop_over_bins(*confidence_and_hit(probs, target), np.linspace(0, 1, bins + 1), include_lowest)


def adaece_by_loop(probs, target, bins, include_lowest=False):
    confidence, hit = confidence_and_hit(probs, target)
    n = len(confidence)
    edges = np.interp(np.linspace(0, n, bins + 1), np.arange(n), np.sort(confidence))
    return loop_over_bins(confidence, hit, edges, include_lowest)


def cece_by_loop(probs, target, bins, include_lowest=False):
    edges = np.linspace(0, 1, bins + 1)
    p, y = probs.double().numpy(), target.numpy()
    return np.mean([loop_over_bins(p[:, k], y == k, edges, include_lowest) for k in range(p.shape[1])])


LOOPS = dict(zip(BINNED, [ece_by_loop, adaece_by_loop, cece_by_loop], strict=True))


@pytest.mark.parametrize("include_lowest", [False, True])
@pytest.mark.parametrize("metric", BINNED)
@pytest.mark.parametrize(
    ("n", "k", "bins"), [(1000, 10, 15), (997, 100, 15), (64, 3, 7), (15, 4, 15), (45, 2, 15)]
)
def test_binned_errors_equal_a_loop_over_the_bins(metric, n, k, bins, include_lowest):
    probs, target = make(n, k)
    value = metric(probs, target, bins, include_lowest=include_lowest)
    assert value.item() == pytest.approx(LOOPS[metric](probs, target, bins, include_lowest), abs=1e-12)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("k", [2, 10, 50])
def test_ece_agrees_with_torchmetrics(k, scale):
    probs, target = make(2000, k, scale=scale, dtype=torch.float32)
    expected = MulticlassCalibrationError(k, n_bins=15, norm="l1")(probs, target).item()
    assert expected_calibration_error(probs, target).item() == pytest.approx(expected, abs=1e-6)


def test_accuracy_nll_and_brier_agree_with_others():
    probs, target = make(500, 7)
    p, y = probs.numpy(), target.numpy()
    assert accuracy(probs, target).item() == accuracy_score(y, p.argmax(1))
    nll = log_loss(y, p, labels=range(7))
    assert negative_log_likelihood(probs, target).item() == pytest.approx(nll, abs=1e-12)
    brier = ((p - np.eye(7)[y]) ** 2).sum(1).mean()
    assert brier_score(probs, target).item() == pytest.approx(brier, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_confidence_on_an_edge_belongs_to_the_bin_below(dtype):
    edges = torch.tensor([k / 15 for k in range(16)], dtype=dtype)
    assert equal_width_index(edges, 15, False).tolist() == list(range(16))
    above = torch.nextafter(edges[:-1], torch.ones(15, dtype=dtype))
    assert equal_width_index(above, 15, False).tolist() == list(range(1, 16))


def test_a_confidence_just_above_1_stays_in_the_last_bin():
    assert equal_width_index(torch.tensor([1.0 + 2e-7]), 15, False).tolist() == [15]


def test_confidence_exactly_1():
    probs = torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 1])]
    target = torch.tensor([0, 1, 2, 3, 1, 2])
    for metric in (expected_calibration_error, adaptive_calibration_error):
        assert metric(probs, target).item() == pytest.approx(2 / 6)
    assert negative_log_likelihood(probs, target).item() == torch.inf
    assert brier_score(probs, target).item() == pytest.approx(2 * 2 / 6)


def test_probability_exactly_0_is_in_no_bin_unless_asked():
    probs, target = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([1, 0])
    # Class 0: mean 1, frequency 1/2. Class 1: mean 0, frequency 1/2, counted only with the first bin closed.
    assert classwise_calibration_error(probs, target).item() == pytest.approx((0.5 + 0.0) / 2)
    closed = classwise_calibration_error(probs, target, include_lowest=True)
    assert closed.item() == pytest.approx((0.5 + 0.5) / 2)


def test_probability_exactly_0_of_another_class_changes_nothing():
    probs, target = make(300, 5)
    with_empty_class = torch.cat([probs, torch.zeros(300, 1)], 1)
    expected = classwise_calibration_error(probs, target) * 5 / 6
    for include_lowest in (False, True):
        value = classwise_calibration_error(with_empty_class, target, include_lowest=include_lowest)
        assert value.item() == pytest.approx(expected.item(), abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 14])
@pytest.mark.parametrize("metric", BINNED)
def test_fewer_samples_than_bins(metric, n):
    probs, target = make(n, 3, seed=n)
    assert metric(probs, target).item() == pytest.approx(LOOPS[metric](probs, target, 15), abs=1e-12)


@pytest.mark.parametrize("metric", BINNED)
def test_one_sample(metric):
    probs = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    right = 0.3 if metric is not classwise_calibration_error else (0.3 + 0.2 + 0.1) / 3
    wrong = 0.7 if metric is not classwise_calibration_error else (0.7 + 0.8 + 0.1) / 3
    assert metric(probs, torch.tensor([0])).item() == pytest.approx(right)
    assert metric(probs, torch.tensor([1])).item() == pytest.approx(wrong)


@pytest.mark.parametrize("include_lowest", [False, True])
def test_ties_in_adaptive_bins(include_lowest):
    top = torch.tensor([0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.9, 0.9, 0.9, 0.95] * 4, dtype=torch.float64)
    probs, target = torch.stack([top, 1 - top], 1), torch.arange(40) % 3 % 2
    value = adaptive_calibration_error(probs, target, include_lowest=include_lowest)
    assert value.item() == pytest.approx(adaece_by_loop(probs, target, 15, include_lowest), abs=1e-12)


def test_equal_confidences_are_one_adaptive_bin():
    """No edge divides them: bins `(low, high]` would hold none, and the error would be 0 at any accuracy."""
    probs, target = torch.tensor([[0.2, 0.8]]).double().repeat(10, 1), torch.tensor([1, 0, 0, 0, 0] * 2)
    assert adaptive_calibration_error(probs, target).item() == pytest.approx(0.8 - 0.2)


@pytest.mark.parametrize("metric", BINNED)
def test_one_class(metric):
    probs, target = torch.ones(20, 1), torch.zeros(20, dtype=torch.long)
    assert metric(probs, target).item() == 0
    assert accuracy(probs, target).item() == 1
    assert negative_log_likelihood(probs, target).item() == 0
    assert brier_score(probs, target).item() == 0


@pytest.mark.parametrize("metric", BINNED)
def test_targets_of_one_class_only(metric):
    probs, _ = make(200, 4)
    target = torch.zeros(200, dtype=torch.long)
    assert metric(probs, target).item() == pytest.approx(LOOPS[metric](probs, target, 15), abs=1e-12)


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize("metric", ALL)
def test_nan_is_not_silent(metric, n):
    probs, target = make(n, 4)
    probs[0] = torch.nan
    assert metric(probs, target).isnan()


@pytest.mark.parametrize("metric", ALL)
def test_result_is_a_float64_scalar(metric):
    probs, target = make(50, 4, dtype=torch.bfloat16)
    value = metric(probs, target)
    assert value.dtype == torch.float64
    assert value.shape == ()


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("probs", "target"),
    [
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)),
        (torch.zeros(3), torch.zeros(3, dtype=torch.long)),
        (torch.zeros(3, 2), torch.zeros(4, dtype=torch.long)),
        (torch.zeros(3, 2), torch.zeros(3, 2)),
        (torch.zeros(3, 2, dtype=torch.long), torch.zeros(3, dtype=torch.long)),
        (torch.tensor([[2.0, -1.0]]), torch.zeros(1, dtype=torch.long)),
        (torch.tensor([[1.2, 0.1]]), torch.zeros(1, dtype=torch.long)),
    ],
)
def test_wrong_arguments_are_refused(metric, probs, target):
    with pytest.raises(ValueError, match="must be"):
        metric(probs, target)


@pytest.mark.parametrize("metric", BINNED)
def test_no_bins_are_refused(metric):
    with pytest.raises(ValueError, match="bins"):
        metric(*make(5, 3), bins=0)
