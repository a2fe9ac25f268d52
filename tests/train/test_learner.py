"""The training step: accumulation, clipping, averaging, precision, and its state."""

import copy
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.layers import packing
from snnlab.regularisers.base import Regulariser
from snnlab.train.learner import Learner
from tests.train.toy import ToyData, ToyNet, loss, pipeline


class Leftover(Regulariser):
    """The mean square of the last logits, seen by a hook."""

    weight = 0.5

    @contextmanager
    def watching(self, model):
        handle = model.register_forward_hook(lambda module, inputs, output: self.seen.append(output))
        self.seen = []
        yield
        handle.remove()

    def term(self, model):
        (logits_TBK,) = self.seen
        return self.weight * logits_TBK.square().mean()


class NoSchedule:
    def step(self) -> None: ...
    def state_dict(self) -> dict[str, object]:
        return {}

    def load_state_dict(self, state: dict[str, object]) -> None: ...


def learner(model: nn.Module, lr: float = 0.1, **settings: object) -> Learner:
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return Learner(model, loss(), optimizer, NoSchedule(), pipeline(), TrainerConfig(**settings))


def test_a_regulariser_is_a_term_of_the_loss() -> None:
    model, expected = net(), net()
    raw, target = batch(0, 10)
    logits_TBK = expected(raw.float().transpose(0, 1))
    entropy = nn.functional.cross_entropy(logits_TBK.mean(0), target)
    square = 0.5 * logits_TBK.square().mean()
    (entropy + square).backward()
    settings = TrainerConfig()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    regularised = Learner(
        model, loss(), optimizer, NoSchedule(), pipeline(), settings, regularisers={"leftover": Leftover()}
    )
    result = regularised.step([(raw, target)], 0, 0)
    torch.testing.assert_close(result.terms["leftover"], square.detach())
    torch.testing.assert_close(result.loss, (entropy + square).detach())
    for a, b in zip(model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(a, b - b.grad)


def net() -> ToyNet:
    torch.manual_seed(0)
    return ToyNet()


def batch(start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor]:
    return ToyData().train_set().batch(range(start, stop))


def test_packed_spikes_change_no_bit_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    packed, kept = learner(net(), pack_spikes=True), learner(net())
    done = []
    monkeypatch.setattr(
        packing, "pack", lambda x, levels, wrong, pack=packing.pack: done.append(x) or pack(x, levels, wrong)
    )
    for one in (packed, kept):
        for number in range(2):
            one.step([batch(0, 8), batch(8, 20)], 0, number)
    assert len(done) == 4
    state, expected = packed.state_dict()["model"], kept.state_dict()["model"]
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_accumulated_batches_equal_their_union_also_when_the_last_is_smaller() -> None:
    whole, parts = learner(net()), learner(net(), accumulate=3)
    whole.step([batch(0, 20)], 0, 0)
    result = parts.step([batch(0, 8), batch(8, 16), batch(16, 20)], 0, 0)
    assert result.count == 20
    for a, b in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


def test_the_result_is_the_mean_loss_and_the_number_of_right_samples() -> None:
    model = net()
    raw, target = batch(0, 10)
    logits_TBK = model(raw.float().transpose(0, 1))
    expected = nn.functional.cross_entropy(logits_TBK.mean(0), target)
    right = (logits_TBK.mean(0).argmax(1) == target).sum()
    result = learner(model).step([(raw, target)], 0, 0)
    torch.testing.assert_close(result.loss, expected)
    assert result.correct == right


def test_a_loss_that_is_not_finite_changes_no_weight() -> None:
    model = net()
    with torch.no_grad():
        model.head.bias[0] = torch.inf
    before = copy.deepcopy(model.state_dict())
    result = learner(model).step([batch(0, 10)], 0, 0)
    assert not torch.isfinite(result.loss)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_clipping_bounds_the_whole_gradient() -> None:
    model = net()
    before = copy.deepcopy(model)
    learner(model, lr=1.0, clip_norm=1e-3).step([batch(0, 24)], 0, 0)
    moved = [(a - b).norm() for a, b in zip(model.parameters(), before.parameters(), strict=True)]
    assert torch.stack(moved).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_the_average_is_the_exponential_one() -> None:
    model = net()
    averaged = learner(model, ema=0.9)
    expected = None
    for step in range(3):
        averaged.step([batch(8 * step, 8 * step + 8)], 0, step)
        weight = model.head.weight.detach().clone()
        expected = weight if expected is None else 0.9 * expected + 0.1 * weight
    assert averaged.average is not None
    torch.testing.assert_close(averaged.average.module.head.weight, expected)


def test_bf16_keeps_weights_in_fp32_and_the_loss_close() -> None:
    exact, mixed = learner(net()), learner(net(), precision="bf16")
    a, b = exact.step([batch(0, 24)], 0, 0), mixed.step([batch(0, 24)], 0, 0)
    assert all(p.dtype == torch.float32 for p in mixed.model.parameters())
    assert a.loss.item() == pytest.approx(b.loss.item(), rel=0.05)


def test_a_continued_learner_steps_like_the_unbroken_one() -> None:
    straight = learner(net(), ema=0.5)
    straight.step([batch(0, 12)], 0, 0)
    state = copy.deepcopy(straight.state_dict())
    straight.step([batch(12, 24)], 0, 1)
    continued = learner(ToyNet(), ema=0.5)
    continued.load_state_dict(state)
    continued.step([batch(12, 24)], 0, 1)
    for a, b in zip(straight.model.parameters(), continued.model.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(straight.average.parameters(), continued.average.parameters(), strict=True):
        assert torch.equal(a, b)
