"""SDT and TET against the gradients that the TMC paper gives for them (Eq. 6 and 7), written in NumPy."""

import numpy as np
import pytest
import torch

from snnlab.losses import SDT, TET, TMC

T, B, K = 4, 5, 6


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def make(seed=0, scale=2.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(T, B, K, generator=generator, dtype=torch.float64) * scale).to(dtype)
    return logits.requires_grad_(), torch.randint(K, (B,), generator=generator)


def one_hot(target, smoothing=0.0):
    return (1 - smoothing) * np.eye(K)[target.numpy()] + smoothing / K


def test_sdt_gradient_is_eq_6():
    logits, target = make()
    loss = SDT()(logits, target)
    loss.backward()
    z, y = logits.detach().numpy(), one_hot(target)
    p_avg = softmax(z.mean(0))
    np.testing.assert_allclose(loss.item(), -(np.log(p_avg) * y).sum(1).mean())
    for t in range(T):
        np.testing.assert_allclose(logits.grad[t].numpy() * T * B, p_avg - y, atol=1e-12)


def test_tet_gradient_is_eq_7_plus_the_regulariser():
    logits, target = make()
    lamb, means = 0.3, 0.7
    loss = TET(lamb=lamb, means=means)(logits, target)
    loss.backward()
    z, y = logits.detach().numpy(), one_hot(target)
    p = softmax(z)
    ce = -(np.log(p) * y).sum(2).mean()
    np.testing.assert_allclose(loss.item(), (1 - lamb) * ce + lamb * ((z - means) ** 2).mean())
    expected = (1 - lamb) * (p - y) / (T * B) + lamb * 2 * (z - means) / (T * B * K)
    np.testing.assert_allclose(logits.grad.numpy(), expected, atol=1e-12)


def test_tet_without_regulariser_has_one_term():
    logits, target = make()
    assert list(TET(lamb=0.0).terms(logits, target)) == ["ce"]
    assert list(TET().terms(logits, target)) == ["ce", "mse"]


@pytest.mark.parametrize("loss", [SDT(), TET(), TMC(), TMC(variant="paper")])
def test_forward_is_the_sum_of_the_terms(loss):
    logits, target = make()
    torch.testing.assert_close(loss(logits, target), sum(loss.terms(logits, target).values()))


@pytest.mark.parametrize("cls", [SDT, TET])
def test_label_smoothing_is_a_soft_target(cls):
    logits, target = make()
    soft = torch.from_numpy(one_hot(target, 0.2))
    torch.testing.assert_close(cls(label_smoothing=0.2)(logits, target), cls()(logits, soft))
    torch.testing.assert_close(cls()(logits, target), cls()(logits, torch.from_numpy(one_hot(target))))


def test_tmc_smooths_the_cross_entropy_only():
    logits, target = make()
    smooth, plain = TMC(label_smoothing=0.2).terms(logits, target), TMC().terms(logits, target)
    torch.testing.assert_close(smooth["theta"], plain["theta"])
    torch.testing.assert_close(smooth["ce"], TET(lamb=0.0, label_smoothing=0.2)(logits, target))


@pytest.mark.parametrize("loss", [SDT(), TET(), TMC(), TMC(variant="paper")])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_logits_are_computed_in_float32(loss, dtype):
    logits, target = make(dtype=dtype)
    value = loss(logits, target)
    value.backward()
    same = logits.detach().float().requires_grad_()
    expected = loss(same, target)
    expected.backward()
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    assert torch.equal(logits.grad, same.grad.to(dtype))


@pytest.mark.parametrize("loss", [SDT(), TET(), TMC()])
@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (torch.zeros(B, K), torch.zeros(B, dtype=torch.long), "T, B, K"),
        (torch.zeros(T, B, K, dtype=torch.long), torch.zeros(B, dtype=torch.long), "floating point"),
        (torch.zeros(T, 0, K), torch.zeros(0, dtype=torch.long), "size 0"),
        (torch.zeros(T, B, K), torch.zeros(B + 1, dtype=torch.long), "does not fit"),
        (torch.zeros(T, B, K), torch.zeros(B, K, dtype=torch.long), "does not fit"),
    ],
)
def test_wrong_shapes_are_refused(loss, logits, target, message):
    with pytest.raises(ValueError, match=message):
        loss(logits, target)


@pytest.mark.parametrize("loss", [SDT(), TET()])
def test_soft_targets_of_another_shape_are_refused(loss):
    with pytest.raises(ValueError, match="does not fit"):
        loss(torch.zeros(T, B, K), torch.zeros(B, K + 1))
