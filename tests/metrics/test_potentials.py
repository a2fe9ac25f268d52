"""Streamed statistics of membrane potentials against the same from all potentials at once."""

import pytest
import torch

from snnlab.metrics import GradientSupport, LevelShares, Potentials, quantities
from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.neurons.base_membrane import watch_potentials
from snnlab.surrogates import TSG, Rectangle, Sigmoid, Triangle

T, B, C = 3, 40, 50


def currents(seed=0, batch=B):
    return 1.5 * torch.randn(T, batch, C, generator=torch.Generator().manual_seed(seed))


def potentials_of(neuron, *batches):
    """All charged potentials [T, N] of some batches, by hand."""
    kept = []
    with torch.no_grad(), watch_potentials(neuron, lambda _, h_T: kept.append(h_T.flatten(1).clone())):
        for x in batches:
            neuron(x)
    return torch.cat(kept, 1)


def watched(neuron, statistic, *batches):
    with torch.no_grad(), watch_potentials(neuron, statistic.update):
        for x in batches:
            neuron(x)
    return statistic


@pytest.mark.parametrize("neuron", [LIF(), CF(), DSATGO(num_steps=T)], ids=lambda n: type(n).__name__)
def test_histogram_mean_and_deviation_are_those_of_all_potentials(neuron) -> None:
    neuron.eval()
    batches = currents(0), currents(1, batch=7)
    h_TN = potentials_of(neuron, *batches)
    found = watched(neuron, Potentials(20), *batches)
    edges = torch.tensor(found.edges, dtype=torch.float64)
    for t, (shares, (mean, std)) in enumerate(zip(found.shares(), found.mean_std(), strict=True)):
        h = h_TN[t].double()
        assert (mean, std) == (
            pytest.approx(h.mean().item(), abs=1e-6),
            pytest.approx(h.std(correction=0).item()),
        )
        inside = torch.histogram(h, edges).hist / h.numel()
        assert torch.tensor(shares[1:-1], dtype=torch.float64) == pytest.approx(inside, abs=2 / h.numel())
        assert shares[0] == pytest.approx((h < edges[0]).double().mean().item(), abs=1 / h.numel())
        assert sum(shares) == pytest.approx(1)
    assert edges[0] < min(neuron.firing_thresholds(0)) < edges[-1]


def test_support_of_a_rectangle_is_its_width() -> None:
    neuron = LIF(Rectangle(width=0.6))
    h = potentials_of(neuron, currents())
    inside = ((h - 1).abs() < 0.3).double().mean(1).tolist()
    for least in (0.001, 0.5):
        assert watched(neuron, GradientSupport(least), currents()).compute() == pytest.approx(inside)


def test_support_of_others_is_where_they_reach_a_part_of_their_peak() -> None:
    neuron = LIF(Triangle())
    h = potentials_of(neuron, currents())
    inside = ((h - 1).abs() <= 0.75).double().mean(1).tolist()
    assert watched(neuron, GradientSupport(0.25), currents()).compute() == pytest.approx(inside)
    sigmoid = watched(LIF(Sigmoid()), GradientSupport(0.01), currents()).compute()
    assert all(0 < share < 1 for share in sigmoid)


def test_support_of_an_adaptive_neuron_is_that_of_its_batch() -> None:
    neuron = DSATGO(Rectangle(), num_steps=T).train()
    h = potentials_of(neuron, currents())
    found = watched(neuron, GradientSupport(0.01), currents()).compute()
    for t in range(T):
        std, mean = torch.std_mean(h[t])
        width = 1 + torch.tanh(std - 1)
        bounds = watched(neuron, GradientSupport(0.01), currents()).bounds()[t]
        assert list(bounds) == pytest.approx(
            [float(mean + std + side * width / 2) for side in (-1, 1)], abs=0.006
        )
        assert found[t] == pytest.approx(
            ((h[t] - mean - std).abs() < width / 2).double().mean().item(), abs=1e-3
        )


def test_support_of_several_levels_is_their_union() -> None:
    neuron = CF(Rectangle(width=0.5), K_P=2, K_N=1)
    h = potentials_of(neuron, currents())
    inside = sum(((h - level).abs() < 0.25).double() for level in (-1, 1, 2)).mean(1)
    assert watched(neuron, GradientSupport(0.01), currents()).compute() == pytest.approx(inside.tolist())


def test_slope_is_the_gradient_of_the_spike() -> None:
    for neuron in (LIF(), CF(), CF(TSG(T), K_N=0), DSATGO(num_steps=T)):
        x = torch.linspace(-3, 3, 101).unsqueeze(0).requires_grad_()
        (gradient,) = torch.autograd.grad(neuron.train()(x).sum(), x)
        slope = neuron.dynamics_of_call().slope(x[0].detach(), 0, neuron.surrogate)
        assert torch.allclose(slope, gradient[0], atol=1e-6), neuron


def test_level_shares() -> None:
    shares = LevelShares((-1, 2))
    shares.update(torch.tensor([[-1.0, 0, 2, 2], [1.0, 0, 0, 0]]))
    assert shares.shares() == {-1: [0.25, 0], 0: [0.25, 0.75], 1: [0, 0.25], 2: [0.5, 0]}
    assert shares.compute() == [1.25, 0.25]


def test_quantities_are_what_training_changes() -> None:
    net = torch.nn.ModuleDict(
        {"a": DSATGO(num_steps=2, threshold=0.5), "b": PLIF(), "c": LIF(TSG(2)), "d": LIF()}
    )
    found = quantities(net)
    assert set(found) == {
        "decay/a",
        "threshold/a/t1",
        "threshold/a/t2",
        "decay/b",
        "alpha/c/t1",
        "alpha/c/t2",
    }
    assert found["threshold/a/t2"] == 0.5
    assert found["decay/b"] == pytest.approx(0.5)
    assert found["alpha/c/t1"] == pytest.approx(2)


def test_firing_thresholds_are_where_the_output_changes() -> None:
    for neuron in (LIF(threshold=0.7), CF(K_P=3, K_N=1, theta_P=0.5), DSATGO(num_steps=1, threshold=0.4)):
        neuron.eval()
        h = torch.linspace(-4, 4, 8001)
        changes = neuron(h.unsqueeze(0))[0].diff().nonzero().squeeze(1)
        assert h[changes + 1].tolist() == pytest.approx(neuron.firing_thresholds(0), abs=2e-3)
