"""Early exit against a loop over samples and steps in plain Python."""

import math

import pytest
import torch

from snnlab.metrics import EarlyExit

T, B, K = 5, 40, 3
THRESHOLDS = (0.0, 0.5, 0.8, 0.99, 1.0)


def make():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(T, B, K, generator=generator, dtype=torch.float64)
    return logits, torch.randint(K, (B,), generator=generator)


def by_hand(z, threshold, reading):
    """(exit step, class) of one sample [T][K]."""
    total = [0.0] * K
    for step in range(1, T + 1):
        total = [a + b for a, b in zip(total, z[step - 1], strict=True)]
        values = [a / step for a in total] if reading == "mean" else total
        top = max(values)
        if 1 / sum(math.exp(a - top) for a in values) > threshold or step == T:
            return step, values.index(top)
    raise AssertionError


@pytest.mark.parametrize("reading", ["sum", "mean"])
def test_equals_the_loop(reading):
    logits, target = make()
    metric = EarlyExit(T, THRESHOLDS, reading)
    parts = [metric.update(logits[:, i:j], target[i:j]) for i, j in ((0, 7), (7, 8), (8, B))]
    steps, classes = (torch.cat(part, 1).tolist() for part in zip(*parts, strict=True))
    for n, (threshold, found) in enumerate(zip(THRESHOLDS, metric.compute(), strict=True)):
        expected = [by_hand(logits[:, b].tolist(), threshold, reading) for b in range(B)]
        assert [*zip(steps[n], classes[n], strict=True)] == expected
        exits = [step for step, _ in expected]
        right = [k == y for (_, k), y in zip(expected, target.tolist(), strict=True)]
        assert found.threshold == threshold
        assert found.histogram == tuple(exits.count(step) for step in range(1, T + 1))
        assert found.mean_steps == pytest.approx(sum(exits) / B)
        assert found.acc == pytest.approx(sum(right) / B)


def test_the_sum_is_surer_than_the_mean_and_the_ends_are_the_first_and_the_last_step():
    logits, target = make()
    found = {}
    for reading in ("sum", "mean"):
        metric = EarlyExit(T, THRESHOLDS, reading)
        metric.update(logits, target)
        found[reading] = [row.mean_steps for row in metric.compute()]
    assert found["sum"][0] == found["mean"][0] == 1
    assert found["sum"][-1] == found["mean"][-1] == T
    assert found["sum"][2] < found["mean"][2]


def test_a_confidence_equal_to_the_threshold_goes_on():
    metric = EarlyExit(2, (0.5,))
    steps, _ = metric.update(torch.zeros(2, 1, 2), torch.tensor([0]))
    assert steps.tolist() == [[2]]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one of each"):
        EarlyExit(3, ())
    with pytest.raises(ValueError, match="expected logits of 3 steps, got 2"):
        EarlyExit(3, (0.5,)).update(torch.zeros(2, 1, 2), torch.tensor([0]))
    with pytest.raises(ValueError, match="no samples"):
        EarlyExit(3, (0.5,)).compute()
