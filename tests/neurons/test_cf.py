"""`cf` against a loop written level by level from the equations, by hand, and its special cases against `lif`."""

from itertools import product

import pytest
import torch

from snnlab.neurons import CF, LIF
from snnlab.surrogates import TSG, MultilevelRectangle, Rectangle, Sigmoid, Triangle


def naive(x_T, decay, up, down, theta_p, theta_n, one, detach, primitive):
    """Signed spikes and the last potential; every level's step is H.detach() + p - p.detach()."""

    def step(u):
        p = primitive(u)
        return torch.where(u >= 0, 1.0, 0.0).to(u.dtype).detach() + p - p.detach()

    v, spikes_T = torch.zeros_like(x_T[0]), []
    for x in x_T:
        h = decay * v + x
        positive = [step(h - k * theta_p) for k in range(1, up + 1)]
        negative = [step(-h - k * theta_n) for k in range(1, down + 1)]
        spikes_T.append(sum(positive) - sum(negative))
        v = h
        for s in positive[:1] if one else positive:
            v = v - theta_p * (s.detach() if detach else s)
        for s in negative[:1] if one else negative:
            v = v + theta_n * (s.detach() if detach else s)
    return torch.stack(spikes_T), v


def data():
    g = torch.Generator().manual_seed(3)
    x = 1.5 * torch.randn(7, 2, 30, dtype=torch.float64, generator=g)
    return x.requires_grad_(), torch.randn(8, 2, 30, dtype=torch.float64, generator=g)


@pytest.mark.parametrize("surrogate", [Triangle(), Triangle(gamma=0.4), Sigmoid()], ids=str)
@pytest.mark.parametrize(
    ("levels", "thetas", "subtract", "detach"),
    list(
        product([(2, 2), (1, 1), (3, 1), (2, 0)], [(1.0, 1.0), (0.9, 0.6)], ["emitted", "one"], [False, True])
    ),
)
def test_naive_loop(levels, thetas, subtract, detach, surrogate):
    x, weights = data()
    neuron = CF(
        surrogate,
        K_P=levels[0],
        K_N=levels[1],
        theta_P=thetas[0],
        theta_N=thetas[1],
        subtract=subtract,
        detach_reset=detach,
    )
    got = neuron.forward_with_state(x)
    want = naive(x, 0.25, *levels, *thetas, subtract == "one", detach, surrogate.primitive)
    gradients = []
    for spikes_T, v in (got, want):
        torch.testing.assert_close(spikes_T, want[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(v, want[1], rtol=0, atol=1e-12)
        loss = (spikes_T * weights[:-1]).sum() + (v * weights[-1]).sum()
        gradients += torch.autograd.grad(loss, x)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-11)
    assert neuron.output_range == (-levels[1], levels[0])
    assert neuron.thresholds == thetas


def test_by_hand():
    x = torch.tensor([0.9, 1.0, 3.5, -2.2, -0.3, -0.75]).unsqueeze(1)
    spikes, v = CF().forward_with_state(x)
    # h: 0.9; 1.225 -> 0.225; 3.55625 -> 1.55625; -1.8109 -> -0.8109; -0.5027; -0.8757
    assert spikes.flatten().tolist() == [0, 1, 2, -1, 0, 0]
    assert v.item() == pytest.approx(-0.75 + 0.25 * (-0.3 + 0.25 * (-2.2 + 0.25 * 1.55625 + 1)))
    spikes, v = CF(subtract="one", decay=0.5).forward_with_state(torch.tensor([[2.5], [0.25], [0.0]]))
    # h: 2.5 emits 2 -> 1.5; 1.0 emits 1 -> 0; 0
    assert spikes.flatten().tolist() == [2, 1, 0]
    assert v.item() == 0


@pytest.mark.parametrize("surrogate", [Triangle(), Rectangle(), Sigmoid()], ids=str)
@pytest.mark.parametrize("detach", [False, True])
def test_one_positive_level_is_lif_with_a_soft_reset(detach, surrogate):
    x, weights = data()
    results = []
    for neuron in (
        CF(surrogate, K_P=1, K_N=0, theta_P=0.8, decay=0.25, detach_reset=detach),
        LIF(surrogate, threshold=0.8, decay=0.25, reset="soft", detach_reset=detach),
    ):
        spikes, v = neuron.forward_with_state(x)
        loss = (spikes * weights[:-1]).sum() + (v * weights[-1]).sum()
        results.append((spikes, v, *torch.autograd.grad(loss, x)))
    for mine, lif in zip(*results, strict=True):
        torch.testing.assert_close(mine, lif, rtol=1e-12, atol=1e-13)


def test_double_threshold_is_odd():
    """One level each way: negated input gives negated spikes, and without negative crossings it is one-sided."""
    x = data()[0].detach()
    both, one_sided = CF(K_P=1, K_N=1), CF(K_P=1, K_N=0)
    assert torch.equal(both(-x), -both(x))
    assert both(x).unique().tolist() == [-1, 0, 1]
    assert torch.equal(both(x.abs()), one_sided(x.abs()))


def test_circulating_upwards_emits_what_single_spikes_would_need_more_steps_for():
    """A strong input fires floor(h) times at once; one level carries the rest over (without a leak)."""
    x = torch.tensor([3.7, 0.0, 0.0, 0.0]).unsqueeze(1)
    circulating = CF(K_P=4, K_N=0, decay=0.999999)(x)
    single = CF(K_P=1, K_N=0, decay=0.999999)(x)
    assert circulating.flatten().tolist() == [3, 0, 0, 0]
    assert single.flatten().tolist() == [1, 1, 1, 0]


def test_threshold_is_the_unit_of_both_thetas():
    x = data()[0].detach()
    assert CF(theta_P=0.8, theta_N=1.2, threshold=0.5).thresholds == (0.4, 0.6)
    assert torch.equal(CF(threshold=0.5)(x), CF()(2 * x))


@pytest.mark.parametrize(("theta_p", "theta_n", "levels"), [(1.0, 1.0, 2), (0.8, 0.5, 3)])
def test_multilevel_rectangle_is_equation_14(theta_p, theta_n, levels):
    h = torch.linspace(-5, 5, 2001, dtype=torch.float64) + 1e-4
    h.requires_grad_()
    neuron = CF(MultilevelRectangle(alpha=0.7), K_P=levels, K_N=levels, theta_P=theta_p, theta_N=theta_n)
    (slope,) = torch.autograd.grad(neuron(h.unsqueeze(0)).sum(), h)
    u = h.detach()
    up = (u - (levels + 1) / 2 * theta_p).abs() < theta_p * levels / 2
    down = (u + (levels + 1) / 2 * theta_n).abs() < theta_n * levels / 2
    torch.testing.assert_close(slope, 0.7 * torch.where(u >= 0, up, down).double())


def test_the_levels_of_the_rectangle_share_no_edge_and_leave_none_out():
    h = torch.tensor([[1.5, -1.5, 1.4999, 1.5001]], requires_grad=True)
    (slope,) = torch.autograd.grad(CF(MultilevelRectangle())(h).sum(), h)
    assert slope.tolist() == [[1, 1, 1, 1]]


def test_tsg_is_a_triangle_at_each_level_as_high_as_the_step_says():
    surrogate = TSG(3, s=2.0, b=0.4)
    with torch.no_grad():
        surrogate.x.copy_(torch.tensor([-1.0, 0.3, 2.0]))
    x = torch.linspace(-4, 4, 801, dtype=torch.float64).expand(3, -1).clone().requires_grad_()
    neuron = CF(surrogate.double(), K_P=3, K_N=2, theta_P=0.9, theta_N=0.7, decay=0.0, detach_reset=True)
    (slope,) = torch.autograd.grad(neuron(x).sum(), x)
    for t, raw in enumerate([-1.0, 0.3, 2.0]):
        alpha = 2 / (1 + torch.tensor(-raw, dtype=torch.float64).exp()) + 0.4
        centres = [0.9, 1.8, 2.7, -0.7, -1.4]
        want = sum((alpha * (1 - alpha * (x[t] - c).abs())).clamp(min=0) for c in centres)
        torch.testing.assert_close(slope[t], want.detach(), rtol=1e-6, atol=1e-6)
