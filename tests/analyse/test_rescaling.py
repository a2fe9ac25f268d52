"""The rescaling factors against the formulas of the TMC paper (Eq. 18), and those of other losses."""

import pytest
import torch
import torch.nn.functional as F

from snnlab.analyse.rescaling import rescaling
from snnlab.losses import SDT, TET, TMC


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(4, 6, 5, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([0, 1, 2, 3, 4, 0])


def test_tmc_has_the_factors_of_the_paper(batch):
    logits_TBK, target_B = batch
    confidence, target, others = rescaling(TMC(variant="paper"), logits_TBK, target_B)
    steps = len(logits_TBK)
    for t in range(1, steps + 1):
        for n, k in enumerate(target_B.tolist()):
            single = logits_TBK[t - 1, n].softmax(0)
            cumulative = logits_TBK[:t, n].mean(0).softmax(0)
            rate = (steps - t) / steps
            pull = rate * (cumulative[k] / (1 - cumulative[k])) ** rate / t
            factors = 1 - pull / (1 - cumulative[k]) * cumulative / single
            rest = [float(factors[m]) for m in range(5) if m != k]
            assert float(confidence[t - 1, n]) == pytest.approx(float(single[k]))
            assert float(target[t - 1, n]) == pytest.approx(float(1 - pull / (1 - single[k])))
            assert float(others[t - 1, n]) == pytest.approx(sum(rest) / 4)


def test_cross_entropy_at_every_step_has_factor_one(batch):
    _, target, others = rescaling(TET(lamb=0.0), *batch)
    assert torch.allclose(target, torch.ones(4, 6, dtype=torch.float64))
    assert torch.allclose(others, torch.ones(4, 6, dtype=torch.float64))


def test_the_mean_over_time_has_the_factor_of_its_own_probabilities(batch):
    logits_TBK, target_B = batch
    confidence, target, _ = rescaling(SDT(), logits_TBK, target_B)
    whole = F.softmax(logits_TBK.mean(0), 1)[torch.arange(6), target_B]
    assert torch.allclose(target, (1 - whole) / (1 - confidence))
