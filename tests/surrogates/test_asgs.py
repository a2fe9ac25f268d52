"""The learned width of `asgs`: its formula, its gradient, and that neurons learn it."""

import math

import pytest
import torch

from snnlab.kernels import backend
from snnlab.neurons import LIF
from snnlab.surrogates import ASGS, Rectangle


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def scaled(w, width=1.2):
    surrogate = ASGS(width=width).double()
    with torch.no_grad():
        surrogate.w.fill_(w)
    return surrogate


def test_it_starts_as_a_rectangle():
    u = 2 * numbers(300)
    assert torch.equal(ASGS(width=1.2).double().gradient(u), Rectangle(width=1.2).gradient(u))


@pytest.mark.parametrize("w", [-1.0, 0.0, 0.7])
def test_width_and_its_gradient_written_out(w):
    surrogate, u, weights = scaled(w), 2 * numbers(400), numbers(400, seed=1)
    k = 1.2 * math.exp(w)
    want = [1 / k if abs(one) < k / 2 else 0.0 for one in u.tolist()]
    assert surrogate.gradient(u).tolist() == pytest.approx(want)
    (got,) = torch.autograd.grad((surrogate(u) * weights).sum(), surrogate.w)
    pairs = zip(u.tolist(), weights.tolist(), strict=True)
    assert got.item() == pytest.approx(math.fsum(-one / k * by for one, by in pairs if abs(one) < k / 2))


def test_gradcheck_of_the_smooth_step():
    u = torch.tensor([-3.0, -0.4, -0.2, 0.1, 0.4, 2.5], dtype=torch.float64, requires_grad=True)
    w = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)

    def smooth(u, w):
        surrogate = ASGS()
        del surrogate.w
        surrogate.w = w
        return surrogate.primitive(u)

    assert torch.autograd.gradcheck(smooth, (u, w))


def test_far_away_potentials_pull_at_no_width():
    surrogate = ASGS()
    u = torch.tensor([-1e30, -2.0, 2.0, float("inf")], requires_grad=True)
    surrogate(u).sum().backward()
    assert surrogate.w.grad.item() == 0
    assert u.grad.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("name", ["eager", "compiled"])
def test_a_neuron_learns_it_over_all_steps(name):
    x, weights = numbers(4, 300) + 0.5, numbers(4, 300, seed=2)
    neuron = LIF(scaled(0.3))
    with backend(name):
        neuron_grad = torch.autograd.grad((neuron(x) * weights).sum(), neuron.surrogate.w)[0]
    v, spikes_T = torch.zeros(300, dtype=torch.float64), []
    other = scaled(0.3)
    for step in x:
        h = 0.5 * v + step
        p = other.primitive(h - 1)
        s = (h >= 1).double() + p - p.detach()
        v = h * (1 - s)
        spikes_T.append(s)
    want = torch.autograd.grad((torch.stack(spikes_T) * weights).sum(), other.w)[0]
    torch.testing.assert_close(neuron_grad, want, rtol=1e-9, atol=1e-11)
