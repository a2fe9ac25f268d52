"""Normalisation over time, batch and space, against PyTorch's on the folded batch and the definitions."""

import inspect

import pytest
import torch
from torch import nn

from snnlab import registry
from snnlab.norms import BN, TDBN, TEBN, Shift

NAMES = tuple(name for name in registry.component_files("norm") if name != "shift")
GIVEN = {"num_features": 6, "num_steps": 4, "threshold": 1.0}


def make(name):
    cls = registry.load("norm", name)
    return cls(**{k: v for k, v in GIVEN.items() if k in inspect.signature(cls).parameters})


def inputs(*shape, seed=0):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 1


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 7), (4, 5, 6, 7, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_axes_and_one_statistic_per_channel(name, shape):
    y = make(name)(inputs(*shape))
    assert y.shape == shape
    per_channel = y.transpose(0, 2).flatten(1)
    torch.testing.assert_close(per_channel.mean(1), torch.zeros(6), rtol=0, atol=1e-5)
    torch.testing.assert_close(per_channel.var(1, unbiased=False), torch.ones(6), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_fewer_steps_run_and_evaluation_uses_running_statistics(name):
    norm = make(name)
    for seed in range(60):
        norm(inputs(4, 8, 6, 3, 3, seed=seed))
    norm.eval()
    y = norm(inputs(2, 8, 6, 3, 3, seed=99))
    torch.testing.assert_close(y, (inputs(2, 8, 6, 3, 3, seed=99) - 1) / 2, rtol=0, atol=0.25)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", NAMES)
def test_low_precision_input_with_float32_parameters(name, dtype):
    norm = make(name)
    x = inputs(4, 5, 6, 7, 7).to(dtype).requires_grad_()
    y = norm(x)
    y.float().square().sum().backward()
    assert y.dtype == dtype
    assert x.grad.dtype == dtype
    assert all(p.grad.dtype == torch.float32 for p in norm.parameters())
    torch.testing.assert_close(y.float(), make(name)(x.detach().float()), rtol=0, atol=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_becomes_a_synchronised_norm(name):
    norm = nn.SyncBatchNorm.convert_sync_batchnorm(make(name))
    assert any(isinstance(m, nn.SyncBatchNorm) for m in norm.modules())
    x = inputs(4, 5, 6, 3, 3)
    torch.testing.assert_close(norm.eval()(x), make(name).eval()(x))


def test_bn_is_pytorchs_on_the_folded_batch():
    ours, theirs = BN(6, eps=1e-3, momentum=0.3), nn.BatchNorm2d(6, eps=1e-3, momentum=0.3)
    x = inputs(4, 5, 6, 7, 3)
    for _ in range(2):
        torch.testing.assert_close(ours(x).flatten(0, 1), theirs(x.flatten(0, 1)))
    torch.testing.assert_close(ours.bn.running_var, theirs.running_var)
    torch.testing.assert_close(ours.bn.running_mean, theirs.running_mean)


def test_tdbn_starts_at_alpha_times_the_threshold():
    y = TDBN(6, 0.5, alpha=0.7)(inputs(4, 50, 6, 5, 5))
    torch.testing.assert_close(y.transpose(0, 2).flatten(1).std(1), torch.full((6,), 0.35), rtol=1e-3, atol=0)


def test_tebn_scales_every_step_by_its_own_parameter():
    norm, x = TEBN(6, 4), inputs(4, 5, 6, 3, 3)
    plain = BN(6)(x)
    with torch.no_grad():
        norm.p.copy_(torch.tensor([0.5, 1.0, 2.0, -1.0]))
    y = norm(x)
    for t, p in enumerate([0.5, 1.0, 2.0, -1.0]):
        torch.testing.assert_close(y[t], p * plain[t])
    y[2].sum().backward()
    assert norm.p.grad[[0, 1, 3]].abs().max() == 0


def test_tebn_refuses_more_steps_than_it_has():
    with pytest.raises(ValueError, match="4 time steps, so it cannot run 5"):
        TEBN(6, 4)(inputs(5, 2, 6))


def test_shift_adds_a_constant_to_each_channel():
    norm = Shift(3)
    norm.load_state_dict({"bias": torch.tensor([1.0, 2.0, 3.0])})
    for shape in ((2, 4, 3), (2, 4, 3, 5, 5)):
        y = norm(torch.zeros(shape))
        assert y.shape == shape
        assert y.transpose(0, 2).flatten(1).unique(dim=1).tolist() == [[1], [2], [3]]
