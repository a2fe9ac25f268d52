"""`ltmd` against the published equations in float64."""

import math

import pytest
import torch

from snnlab.kernels import backend
from snnlab.neurons import LTMD
from snnlab.surrogates import TSG, Rectangle, Triangle


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def published(x_T, w, decay, smooth):
    """h_t = decay h_{t-1} (1 - s_{t-1}) + x_t, s_t = [h_t - tanh(w) >= 0], the reset differentiated."""
    h, s, spikes_T = torch.zeros_like(x_T[0]), torch.zeros_like(x_T[0]), []
    for t, x in enumerate(x_T):
        h = decay * h * (1 - s) + x
        u = h - torch.tanh(w)
        p = smooth(u, t)
        s = (u >= 0).double() + p - p.detach()
        spikes_T.append(s)
    return torch.stack(spikes_T)


@pytest.mark.parametrize("name", ["eager", "compiled"])
@pytest.mark.parametrize("threshold", [0.3, None, 0.9])
@pytest.mark.parametrize("make", [lambda: None, lambda: Rectangle(width=0.6), Triangle, lambda: TSG(5)])
def test_published_equations(make, threshold, name):
    x, weights = (numbers(5, 4, 60) + 0.2).requires_grad_(), numbers(5, 4, 60, seed=1)
    neuron = (LTMD(make()) if threshold is None else LTMD(make(), threshold=threshold)).double()
    surrogate = neuron.surrogate
    w = neuron.w.detach().clone().requires_grad_()
    own = list(surrogate.parameters())
    with backend(name):
        spikes_T = neuron(x)
        got = torch.autograd.grad((spikes_T * weights).sum(), [x, neuron.w, *own])

    def smooth(u, t):
        return (u + 0.5).clamp(0, 1) if make() is None else surrogate.at(t, 1.0).primitive(u)

    expected_T = published(x, w, 0.25, smooth)
    torch.testing.assert_close(spikes_T, expected_T.detach(), rtol=0, atol=1e-12)
    want = torch.autograd.grad((expected_T * weights).sum(), [x, w, *own])
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)
        assert other.abs().sum() > 0


def test_the_released_start():
    neuron = LTMD()
    assert neuron.w.item() == pytest.approx(0.5)
    assert neuron.decay == 0.25
    assert neuron.firing_thresholds(0) == [pytest.approx(math.tanh(0.5))]


def test_the_threshold_is_the_learned_one():
    neuron = LTMD()
    x = torch.full((1, 1), 0.6)
    assert neuron(x).item() == 1
    with torch.no_grad():
        neuron.w.fill_(1.0)
    assert neuron(x).item() == 0
    assert neuron.quantities()["threshold"].item() == pytest.approx(math.tanh(1))


def test_layers_with_different_surrogates_share_no_kernel():
    """The compiled step of one layer must not be taken for a layer that differs in its inner surrogate only."""
    x = numbers(3, 400).float()
    found = []
    for width in (0.4, 1.6):
        inputs = x.clone().requires_grad_()
        with backend("compiled"):
            LTMD(Rectangle(width=width))(inputs).sum().backward()
        found.append((inputs.grad, width))
    for grad, width in found:
        inputs = x.clone().requires_grad_()
        with backend("eager"):
            LTMD(Rectangle(width=width))(inputs).sum().backward()
        torch.testing.assert_close(grad, inputs.grad)
