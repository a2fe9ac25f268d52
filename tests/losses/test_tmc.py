"""TMC against Eq. 14 to 18 of its paper and the batch means of its code, both derived by hand in NumPy."""

import itertools
import math

import numpy as np
import pytest
import torch

from snnlab.losses import TET, TMC
from snnlab.losses.tmc import LOG_CAP

T, B, K = 5, 7, 4


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def make(seed=0, scale=2.0, shape=(T, B, K)):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale
    return logits.requires_grad_(), torch.randint(shape[2], (shape[1],), generator=generator)


def lambdas(kind, steps=T):
    t = np.arange(1, steps + 1)
    return {"paper": (steps - t) / steps, "code": (steps - t + 1) / steps, "none": np.ones(steps)}[kind]


def by_hand(z, target, theta, exponent, base):
    """Value of the penalty and gradient of the whole loss, by the chain rule with p / (1 - p) as printed."""
    y = np.eye(z.shape[2])[target]
    value, grad = 0.0, (softmax(z) - y[None]) / (T * B)
    for t, lam in enumerate(lambdas(exponent), start=1):
        p_bar = softmax(z[:t].mean(0))
        beta = (p_bar * y).sum(1)
        # d beta / d Z_t: only the current step's share 1/t of the mean carries a gradient.
        d_beta = beta[:, None] * (y - p_bar) / t
        pooled = beta if theta == "sample" else beta.mean(keepdims=True)
        odds = pooled / (1 - pooled)
        if base == "theta":
            penalty, slope = odds**lam, lam * odds ** (lam - 1) / (1 - pooled) ** 2
        else:
            penalty, slope = pooled**lam, lam * pooled ** (lam - 1)
        value += penalty.mean() / T
        grad[t - 1] += np.broadcast_to(slope, beta.shape)[:, None] * d_beta / (T * B)
    return value, grad


@pytest.mark.parametrize(
    ("theta", "exponent", "base"),
    list(itertools.product(["sample", "batch"], ["paper", "code", "none"], ["theta", "beta"])),
)
def test_value_and_gradient_equal_the_derivation_by_hand(theta, exponent, base):
    logits, target = make()
    terms = TMC(theta=theta, exponent=exponent, base=base).terms(logits, target)
    sum(terms.values()).backward()
    value, grad = by_hand(logits.detach().numpy(), target.numpy(), theta, exponent, base)
    np.testing.assert_allclose(terms["theta"].item(), value, rtol=1e-12)
    np.testing.assert_allclose(logits.grad.numpy(), grad, rtol=1e-9, atol=1e-13)


def test_gradient_of_the_paper_variant_is_eq_17():
    logits, target = make(seed=1)
    TMC(variant="paper")(logits, target).backward()
    z, k, rows = logits.detach().numpy(), target.numpy(), np.arange(B)
    for t, lam in enumerate(lambdas("paper"), start=1):
        p, p_bar = softmax(z[t - 1]), softmax(z[:t].mean(0))
        q = z[:t].mean(0)
        others = np.exp(q).sum(1) - np.exp(q)[rows, k]
        theta = np.exp(q)[rows, k] / others
        expected = p - (lam * theta**lam / t)[:, None] * p_bar / (1 - p_bar[rows, k])[:, None]
        expected[rows, k] = p[rows, k] - 1 + lam * theta**lam / t
        np.testing.assert_allclose(logits.grad[t - 1].numpy() * T * B, expected, rtol=1e-9, atol=1e-12)


def test_ratio_to_the_gradient_of_tet_is_eq_18():
    logits, target = make(seed=2)
    (tmc,) = torch.autograd.grad(TMC(variant="paper")(logits, target), logits)
    (tet,) = torch.autograd.grad(TET(lamb=0.0)(logits, target), logits)
    g = (tmc / tet).numpy()
    z, k, rows = logits.detach().numpy(), target.numpy(), np.arange(B)
    for t, lam in enumerate(lambdas("paper"), start=1):
        p, p_bar = softmax(z[t - 1]), softmax(z[:t].mean(0))
        pull = lam * (p_bar[rows, k] / (1 - p_bar[rows, k])) ** lam / t
        expected = 1 - (pull / (1 - p_bar[rows, k]))[:, None] * p_bar / p
        expected[rows, k] = 1 - pull / (1 - p[rows, k])
        np.testing.assert_allclose(g[t - 1], expected, rtol=1e-9)


def test_variants_choose_the_options():
    logits, target = make()
    assert torch.equal(TMC()(logits, target), TMC(variant="code")(logits, target))
    for variant, theta in (("paper", "sample"), ("code", "batch")):
        explicit = TMC(theta=theta, exponent=variant)
        assert torch.equal(TMC(variant=variant)(logits, target), explicit(logits, target))
    mixed = TMC(variant="paper", theta="batch")(logits, target)
    assert torch.equal(mixed, TMC(variant="code", exponent="paper")(logits, target))
    values = [
        TMC(variant=v, exponent=e)(logits, target).item() for v in ("paper", "code") for e in (None, "none")
    ]
    assert len(set(values)) == 4


# Zeros of the target logit's gradient, 1 - p = lambda / t (p / (1 - p))^lambda, when all steps agree on p.
STATIONARY = {
    ("paper", 10): [0.393, 0.542, 0.645, 0.729, 0.800, 0.862, 0.913, 0.954, 0.983],
    ("code", 10): [0.382, 0.519, 0.614, 0.692, 0.760, 0.821, 0.875, 0.921, 0.958, 0.985],
    ("code", 6): [0.382, 0.534, 0.657, 0.771, 0.873, 0.954],
    ("code", 4): [0.382, 0.556, 0.728, 0.894],
}


@pytest.mark.parametrize(("variant", "steps"), STATIONARY)
def test_confidence_is_pulled_to_the_stationary_points(variant, steps):
    for t, p in enumerate(STATIONARY[variant, steps]):
        signs = []
        for nearby in (p - 0.001, p + 0.001):
            logit = math.log(nearby / (1 - nearby) * 2)
            logits = (
                torch.tensor([[[logit, 0.0, 0.0]]], dtype=torch.float64).repeat(steps, 1, 1).requires_grad_()
            )
            TMC(variant=variant)(logits, torch.tensor([0])).backward()
            signs.append(logits.grad[t, 0, 0].sign().item())
        assert signs == [-1, 1], f"step {t + 1}"


def test_last_step_of_the_paper_variant_has_no_penalty_gradient():
    logits, target = make()
    (grad,) = torch.autograd.grad(TMC(variant="paper").terms(logits, target)["theta"], logits)
    assert grad[-1].abs().max() == 0
    assert grad[0].abs().max() > 0


@pytest.mark.parametrize("variant", ["paper", "code"])
def test_uniform_logits_have_odds_of_one_to_the_others(variant):
    logits = torch.full((T, B, K), 3.0)
    target = torch.arange(B) % K
    theta = TMC(variant=variant, exponent="none").terms(logits, target)["theta"]
    torch.testing.assert_close(theta.item(), 1 / (K - 1))
    value = TMC(variant=variant).terms(logits, target)["theta"]
    torch.testing.assert_close(value.item(), np.mean((1 / (K - 1)) ** lambdas(variant)))


def extreme_logits(pattern, magnitude, dtype):
    generator = torch.Generator().manual_seed(3)
    target = torch.arange(B) % K
    if pattern == "random":
        logits = torch.randn(T, B, K, generator=generator)
    else:
        right = torch.eye(K)[target].expand(T, B, K)
        flip = torch.where(torch.arange(T) % 2 == 0, 1.0, -1.0)[:, None, None]
        logits = {"right": right, "wrong": -right, "mixed": right * flip, "equal": torch.ones(T, B, K)}[
            pattern
        ]
    return (logits * magnitude).to(dtype).clone().requires_grad_(), target


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("pattern", ["random", "right", "wrong", "mixed", "equal"])
@pytest.mark.parametrize(
    "options",
    [
        {"variant": "paper"},
        {"variant": "code"},
        {"variant": "paper", "exponent": "none"},
        {"variant": "code", "exponent": "none"},
        {"variant": "paper", "base": "beta"},
        {"variant": "code", "base": "beta"},
    ],
)
def test_any_logits_give_a_finite_value_and_gradient(options, pattern, dtype):
    for magnitude in (0.0, 1e-30, 1.0, 17.0, 40.0, 88.0, 104.0, 1e3, 1e4, 1e8, 1e15):
        logits, target = extreme_logits(pattern, magnitude, dtype)
        loss = TMC(**options)(logits, target)
        loss.backward()
        assert loss.isfinite(), magnitude
        assert logits.grad.isfinite().all(), magnitude


@pytest.mark.parametrize("variant", ["paper", "code"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_far_overconfidence_is_still_pulled_back(variant, dtype):
    logits, target = extreme_logits("right", 1e4, dtype)
    theta = TMC(variant=variant).terms(logits, target)["theta"]
    (grad,) = torch.autograd.grad(theta, logits)
    pulled = T if variant == "code" else T - 1
    rows = torch.arange(B)
    assert (grad[:pulled, rows, target] > 0).all()
    assert (grad[:pulled].sum(2).abs() < 1e-2 * grad[:pulled, rows, target]).all()
    expected = lambdas(variant)[0] * math.exp(LOG_CAP) / (T * B)
    torch.testing.assert_close(grad[0, rows, target].float(), torch.full((B,), expected), rtol=1e-2, atol=0)


def test_tangent_continues_the_value_and_the_slope():
    logits = torch.tensor([LOG_CAP - 1e-6, LOG_CAP + 1e-6, LOG_CAP + 10], dtype=torch.float64)
    logits = torch.stack([logits, torch.zeros(3, dtype=torch.float64)], 1)[None].requires_grad_()
    loss = TMC(variant="paper", exponent="none")
    values = [loss.terms(logits[:, i : i + 1], torch.tensor([0]))["theta"] for i in range(3)]
    slopes = [torch.autograd.grad(value, logits)[0][0, i, 0].item() for i, value in enumerate(values)]
    top = math.exp(LOG_CAP)
    np.testing.assert_allclose([value.item() for value in values], [top, top, 11 * top], rtol=1e-5)
    np.testing.assert_allclose(slopes, [top] * 3, rtol=1e-5)


def test_float32_agrees_with_float64_where_the_plain_ratio_overflows():
    """At a margin of 20 `1 - p` is 0 in float32; the log domain keeps theta."""
    logits, target = extreme_logits("right", 20.0, torch.float32)
    for variant in ("paper", "code"):
        loss = TMC(variant=variant)
        exact = loss(logits.detach().double(), target).item()
        assert loss(logits, target).item() == pytest.approx(exact, rel=1e-4)
        assert by_hand(logits.detach().double().numpy(), target.numpy(), "sample", variant, "theta")[
            0
        ] == pytest.approx(exact, rel=1e-4)


def test_nan_logits_give_a_nan_loss():
    logits, target = make()
    broken = logits.detach().clone()
    broken[1, 2, 3] = torch.nan
    assert TMC()(broken, target).isnan()
    assert TMC(variant="paper")(broken, target).isnan()


def test_soft_targets_and_a_single_class_are_refused():
    logits, _ = make()
    with pytest.raises(ValueError, match="class indices"):
        TMC()(logits, torch.full((B, K), 1 / K))
    with pytest.raises(ValueError, match="at least 2 classes"):
        TMC()(torch.zeros(T, B, 1), torch.zeros(B, dtype=torch.long))
