"""Hard distillation against its formula in NumPy, for one head and for two, and in a training step."""

import numpy as np
import pytest
import torch

from snnlab.config.schema import TrainerConfig
from snnlab.layers.two_heads import take_heads_apart
from snnlab.losses import SDT, SKD, HardDistillation
from snnlab.models import MetaSpikeFormer
from snnlab.neurons import LIF
from snnlab.norms import BN
from snnlab.train.batch_work import BatchInput, BatchWork

T, B, K = 3, 5, 4


def numbers(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def cross_entropy(z_BK, y_BK):
    logs = z_BK - z_BK.max(1, keepdims=True)
    logs = logs - np.log(np.exp(logs).sum(1, keepdims=True))
    return -(y_BK * logs).sum(1).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("heads", [1, 2])
def test_terms_are_those_of_the_formula(heads, smoothing):
    logits = numbers(T, B, heads, K) if heads == 2 else numbers(T, B, K)
    target, teacher = torch.tensor([0, 1, 2, 3, 1]), numbers(B, K, seed=1)
    terms = HardDistillation(alpha=0.3, label_smoothing=smoothing).terms(logits, target, teacher)
    z = logits.numpy().mean(0)
    own, taught = (z[:, 0], z[:, 1]) if heads == 2 else (z, z)
    labels = (1 - smoothing) * np.eye(K)[target] + smoothing / K
    assert list(terms) == ["ce", "hard"]
    assert terms["ce"].item() == pytest.approx(0.7 * cross_entropy(own, labels), rel=1e-12)
    taught_by = np.eye(K)[teacher.numpy().argmax(1)]
    assert terms["hard"].item() == pytest.approx(0.3 * cross_entropy(taught, taught_by), rel=1e-12)


def test_evaluation_and_alpha_0_are_plain_cross_entropy():
    logits, target = numbers(T, B, K), torch.tensor([0, 1, 2, 3, 1])
    plain = SDT()(logits, target)
    torch.testing.assert_close(HardDistillation().held_out(logits, target), plain)
    torch.testing.assert_close(HardDistillation(alpha=0.0)(logits, target), plain)
    with pytest.raises(ValueError, match="needs the teacher's logits"):
        HardDistillation().terms(logits, target)


def meta():
    torch.manual_seed(0)
    return MetaSpikeFormer(
        lambda **o: LIF(**{"threshold": 0.1, **o}),
        BN,
        2,
        K,
        dims=(8, 8, 16, 16),
        depths=(1, 0, 0, 1, 0),
        heads=2,
        last_neuron=False,
        distillation_head=True,
    )


def step(model, loss, target, teacher):
    work = BatchWork(model, model, loss, {}, torch.amp.GradScaler("cpu", enabled=False), TrainerConfig())
    x = torch.rand(2, B, 2, 32, 32, generator=torch.Generator().manual_seed(3))
    sums = work(BatchInput(x, target, target, teacher, 1.0))
    return sums, model.head.weight.grad, model.distillation_head.weight.grad


def test_each_head_learns_from_its_own_label():
    target = torch.tensor([0, 1, 2, 3, 1])
    grads = {}
    for name, labels, taught in (
        ("", target, numbers(B, K, seed=1).float()),
        ("other teacher", target, numbers(B, K, seed=2).float()),
        ("other labels", 3 - target, numbers(B, K, seed=1).float()),
    ):
        model, loss = meta(), HardDistillation()
        take_heads_apart(model)
        sums, *grads[name] = step(model, loss, labels, taught)
        assert set(sums.terms) == {"ce", "hard"}
        assert 0 <= sums.correct <= B
    assert torch.equal(grads[""][0], grads["other teacher"][0])
    assert not torch.equal(grads[""][1], grads["other teacher"][1])
    assert torch.equal(grads[""][1], grads["other labels"][1])
    assert not torch.equal(grads[""][0], grads["other labels"][0])


def test_evaluation_and_other_losses_see_the_mean_of_both_heads():
    model, x = meta(), torch.rand(2, 3, 2, 32, 32)
    assert model(x).shape == (2, 3, K)
    take_heads_apart(model)
    assert model(x).shape == (2, 3, 2, K)
    seen = []
    for head in (model.head, model.distillation_head):
        head.register_forward_hook(lambda module, args, output: seen.append(output))
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(model(x), (seen[0] + seen[1]) / 2)
    _, own, second = step(meta(), SKD(alpha=0.0), torch.tensor([0, 1, 2, 3, 1]), None)
    assert own.any()
    assert second.any()
