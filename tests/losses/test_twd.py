"""TWD and SKD against Eq. 1 to 9 of the paper and the ensemble of its code in NumPy, and the paper's bounds."""

import itertools

import numpy as np
import pytest
import torch

from snnlab.losses import SDT, SKD, TET, TWD

T, B, K = 4, 6, 5


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def cross_entropy(z, y):
    return -(y * np.log(softmax(z))).sum(-1)


def divergence(z, soft, tau):
    """Eq. 2, per sample."""
    p, q = softmax(z / tau), softmax(soft / tau)
    return tau**2 * (q * np.log(q / p)).sum(-1)


def make(seed=0, scale=2.0, shape=(T, B, K)):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale
    teacher = torch.randn(*shape[1:], generator=generator, dtype=torch.float64) * scale
    return logits.requires_grad_(), torch.randint(shape[2], (shape[1],), generator=generator), teacher


def ensemble_by_hand(z, target, kind):
    if kind == "mean":
        return z.mean(0)
    found = np.zeros(z.shape[1:])
    for b, label in enumerate(target):
        right = [z[t, b] for t in range(len(z)) if z[t, b].argmax() == label]
        if right:
            found[b] = np.mean(right, 0)
    return found


@pytest.mark.parametrize(
    ("ensemble", "hard", "soft"),
    list(itertools.product(["mean", "correct_steps"], ["steps", "mean"], ["steps", "mean"])),
)
def test_values_and_gradients_equal_the_derivation_by_hand(ensemble, hard, soft):
    alpha, beta, tau = 0.3, 0.7, 2.5
    logits, target, teacher = make()
    loss = TWD(alpha=alpha, beta=beta, temperature=tau, ensemble=ensemble, hard=hard, soft=soft)
    terms = loss.terms(logits, target, teacher)
    sum(terms.values()).backward()
    z, k, z_a, y = logits.detach().numpy(), target.numpy(), teacher.numpy(), np.eye(K)[target]
    z_ens, mean = ensemble_by_hand(z, k, ensemble), z.mean(0)
    at_hard, at_soft = (z if how == "steps" else mean[None] for how in (hard, soft))
    np.testing.assert_allclose(terms["ce"].item(), cross_entropy(at_hard, y).mean(), rtol=1e-12)
    np.testing.assert_allclose(terms["kl"].item(), alpha * divergence(at_soft, z_a, tau).mean(), rtol=1e-12)
    np.testing.assert_allclose(terms["sd"].item(), beta * divergence(z, z_ens, tau).mean(), rtol=1e-12)
    grad = softmax(at_hard) - y
    grad = grad + alpha * tau * (softmax(at_soft / tau) - softmax(z_a / tau))
    grad = grad + beta * tau * (softmax(z / tau) - softmax(z_ens / tau))  # nothing through z_ens
    np.testing.assert_allclose(logits.grad.numpy(), grad / (T * B), rtol=1e-9, atol=1e-13)


def test_the_samples_cover_right_wrong_and_mixed_steps():
    logits, target, _ = make()
    right = (logits.argmax(2) == target).sum(0)
    assert (right == 0).any()
    assert ((right > 0) & (right < T)).any()


def test_a_sample_that_no_step_gets_right_is_pulled_to_uniform():
    logits = torch.tensor([[[2.0, 0.0, 0.0]], [[1.0, 0.5, 0.0]]], dtype=torch.float64, requires_grad=True)
    loss = TWD(alpha=0, beta=1.0, temperature=1.0, ensemble="correct_steps")
    (grad,) = torch.autograd.grad(loss.terms(logits, torch.tensor([2]))["sd"], logits)
    torch.testing.assert_close(grad, (logits.softmax(2) - 1 / 3) / 2)


def test_skd_is_eq_4_and_the_first_row_of_table_6():
    logits, target, teacher = make(seed=1)
    loss = SKD(alpha=0.4, temperature=2.0)(logits, target, teacher)
    z, y = logits.detach().numpy(), np.eye(K)[target]
    expected = cross_entropy(z.mean(0), y).mean() + 0.4 * divergence(z.mean(0), teacher.numpy(), 2.0).mean()
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)
    row = TWD(alpha=0.4, beta=0, temperature=2.0, hard="mean", soft="mean")
    assert torch.equal(row(logits, target, teacher), loss)


def test_switched_off_terms_leave_the_known_losses():
    logits, target, teacher = make()
    assert torch.equal(SKD(alpha=0)(logits, target), SDT()(logits, target))
    assert torch.equal(TWD(alpha=0, beta=0)(logits, target), TET(lamb=0.0)(logits, target))
    assert list(TWD(alpha=0).terms(logits, target)) == ["ce", "sd"]
    assert list(TWD(beta=0).terms(logits, target, teacher)) == ["ce", "kl"]


def test_the_self_distillation_vanishes_when_the_steps_agree():
    logits, target, _ = make()
    alike = logits[:1].expand(T, -1, -1)
    assert TWD(alpha=0).terms(alike, target)["sd"].item() == pytest.approx(0, abs=1e-14)
    assert TWD(alpha=0).terms(logits, target)["sd"].item() > 0.1


def skd(z, y, z_a, alpha, tau):
    return cross_entropy(z.mean(0), y).mean() + alpha * divergence(z.mean(0), z_a, tau).mean()


@pytest.mark.parametrize("tau", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_lemma_1_and_propositions_2_and_3_hold(scale, tau):
    alpha, gaps = 0.2, []
    for seed in range(20):
        steps = 1 + seed % 6
        logits, target, teacher = make(seed, scale, (steps, B, K))
        z, y, z_a = logits.detach().numpy(), np.eye(K)[target], teacher.numpy()
        terms = TWD(alpha=alpha, beta=0, temperature=tau).terms(logits, target, teacher)
        twce, twkd = terms["ce"].item(), sum(terms.values()).item()
        assert cross_entropy(z.mean(0), y).mean() <= twce * (1 + 1e-12), "Lemma 1"
        assert skd(z, y, z_a, alpha, tau) <= twkd * (1 + 1e-12), "Proposition 2"
        gaps.append(twkd - skd(z, y, z_a, alpha, tau))
        for fewer in range(1, steps + 1):
            inner = SKD(alpha=alpha, temperature=tau)(logits[:fewer], target, teacher).item()
            assert inner <= steps / fewer * twkd * (1 + 1e-12), "Proposition 3"
    assert max(gaps) > 1e-3 * scale**2, "the bound is no identity"


def test_the_bound_is_tight_when_the_steps_agree():
    logits, target, teacher = make()
    alike = logits[:1].expand(T, -1, -1)
    twkd = TWD(beta=0)(alike, target, teacher)
    torch.testing.assert_close(twkd, SKD()(alike, target, teacher), rtol=1e-12, atol=0)


@pytest.mark.parametrize("loss", [TWD(), SKD(), TWD(ensemble="correct_steps")])
def test_no_gradient_reaches_the_teacher(loss):
    logits, target, teacher = make()
    teacher.requires_grad_()
    loss(logits, target, teacher).backward()
    assert teacher.grad is None
    assert logits.grad.abs().min() > 0


@pytest.mark.parametrize("loss", [TWD(), SKD()])
def test_without_its_teacher_it_is_refused_but_measured_on_held_out_data(loss):
    logits, target, teacher = make()
    assert loss.needs_teacher
    with pytest.raises(ValueError, match="needs the teacher's logits"):
        loss(logits, target)
    with pytest.raises(ValueError, match=r"teacher's logits \[6, 4\] do not fit"):
        loss(logits, target, teacher[:, :4])
    terms = loss.terms(logits, target, teacher)
    torch.testing.assert_close(loss.held_out(logits, target) + terms["kl"], sum(terms.values()))


@pytest.mark.parametrize("loss", [TWD(alpha=0), SKD(alpha=0), SDT()])
def test_losses_that_need_no_teacher_say_so(loss):
    logits, target, _ = make()
    assert not loss.needs_teacher
    assert torch.equal(loss.held_out(logits, target), loss(logits, target))


def test_soft_targets_are_refused_where_no_step_could_be_right():
    logits, target, teacher = make()
    soft = torch.eye(K, dtype=torch.float64)[target]
    for loss in (TWD(), SKD(), TWD(ensemble="correct_steps", beta=0)):
        torch.testing.assert_close(loss(logits, soft, teacher), loss(logits, target, teacher))
    with pytest.raises(ValueError, match="correct_steps needs class indices"):
        TWD(ensemble="correct_steps")(logits, soft, teacher)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extreme_logits_stay_finite(dtype):
    logits, target, teacher = make(scale=1.0)
    for magnitude in (1e2, 1e4):
        z = (logits.detach() * magnitude).to(dtype).requires_grad_()
        loss = TWD(temperature=1.0)(z, target, (-teacher * magnitude).to(dtype))
        loss.backward()
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
        assert torch.isfinite(z.grad).all()


def test_label_smoothing_touches_the_cross_entropy_only():
    logits, target, teacher = make()
    smooth, plain = (TWD(label_smoothing=s).terms(logits, target, teacher) for s in (0.2, 0.0))
    y = 0.8 * np.eye(K)[target] + 0.2 / K
    np.testing.assert_allclose(smooth["ce"].item(), cross_entropy(logits.detach().numpy(), y).mean())
    assert torch.equal(smooth["kl"], plain["kl"])
    assert torch.equal(smooth["sd"], plain["sd"])
