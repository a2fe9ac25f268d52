"""`diet_snn` against the published equations in float64, which are in the potential u and not in units of theta."""

import pytest
import torch

from snnlab.kernels import backend
from snnlab.neurons import DIETSNN


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def published(x_T, leak, theta):
    """u_t = leak u_{t-1} + x_t - theta s_{t-1}, z = u / theta - 1; ds/dz = 0.3 max(0, 1 - |z|)."""
    u, s, spikes_T = torch.zeros_like(x_T[0]), torch.zeros_like(x_T[0]), []
    for x in x_T:
        u = leak * u + x - theta * s.detach()
        z = u / theta - 1
        inside = z.clamp(-1, 1)
        smooth = 0.3 * (inside - inside * inside.abs() / 2)
        s = (z >= 0).double() + smooth - smooth.detach()
        spikes_T.append(s)
    return torch.stack(spikes_T)


@pytest.mark.parametrize("name", ["eager", "compiled"])
@pytest.mark.parametrize(("threshold", "leak"), [(1.0, 1.0), (0.7, 0.9), (1.9, 0.4), (0.3, 1.1)])
def test_published_equations(threshold, leak, name):
    x, weights = (numbers(6, 4, 50) + 0.4).requires_grad_(), numbers(6, 4, 50, seed=1)
    neuron = DIETSNN(threshold=threshold, leak=leak).double()
    theta, decay = (p.detach().clone().requires_grad_() for p in (neuron.theta, neuron.leak))
    with backend(name):
        spikes_T = neuron(x)
        got = torch.autograd.grad((spikes_T * weights).sum(), [x, neuron.leak, neuron.theta])
    expected_T = published(x, decay, theta)
    torch.testing.assert_close(spikes_T, expected_T.detach(), rtol=0, atol=1e-12)
    assert 0.02 < spikes_T.mean() < 0.98
    want = torch.autograd.grad((expected_T * weights).sum(), [x, decay, theta])
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)
        assert other.abs().sum() > 0


def test_the_released_start():
    neuron = DIETSNN()
    assert [neuron.leak.item(), neuron.theta.item()] == [1, 1]
    assert neuron.surrogate.gradient(torch.tensor([-1.0, 0.0, 0.5])).tolist() == pytest.approx([0, 0.3, 0.15])


def test_what_it_has_learned_is_logged():
    quantities = DIETSNN(threshold=0.6, leak=0.8).quantities()
    assert {key: value.item() for key, value in quantities.items()} == pytest.approx(
        {"decay": 0.8, "threshold": 0.6}
    )
