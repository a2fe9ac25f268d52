"""`dsatgo` against a naive float64 loop, its running thresholds, its switches, and its statistics over processes."""

import math

import pytest
import torch
import torch.multiprocessing as mp
from torch import distributed

from snnlab.kernels import backend
from snnlab.neurons import DSATGO, LIF
from snnlab.neurons.dsatgo import mean_and_std, pooled
from snnlab.surrogates import Rectangle, Triangle


def inputs(*shape, seed=0):
    return 1.3 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.2


def naive(x_T, leak, f_c, v_th, mpd, at, tgo, width):
    """Spikes, last potential, thresholds, from the equations; the rectangle's primitive of width k is a clamp."""
    v, spikes_T, thresholds = torch.zeros_like(x_T[0]), [], []
    for t, x in enumerate(x_T):
        h = leak * v + x
        if mpd == "true":
            numbers = h.detach().flatten().tolist()
            mean = math.fsum(numbers) / len(numbers)
            std = math.sqrt(math.fsum((n - mean) ** 2 for n in numbers) / (len(numbers) - 1))
        else:
            mean, std = 0.0, v_th * (math.sqrt(1 + leak.item() ** 2) if t > 0 else 1)
        adaptive = f_c * (mean + std)
        theta = adaptive if at else v_th
        delta = (adaptive if width == "threshold" else std) - v_th
        k = 1.0
        if tgo:  # the two cases of Eq. 7
            k = 1 - math.tanh(-delta) if delta < 0 else 1 + math.tanh(delta)
        p = (h - theta + k / 2).clamp(0, k) / k
        s = (h >= theta).double() + p - p.detach()
        v = h * (1 - s)
        spikes_T.append(s)
        thresholds.append(adaptive)
    return torch.stack(spikes_T), v, thresholds


@pytest.mark.parametrize("name", ["eager", "compiled"])
@pytest.mark.parametrize("f_c", [1.0, 1.2])
@pytest.mark.parametrize("width", ["std", "threshold"])
@pytest.mark.parametrize("tgo", [False, True])
@pytest.mark.parametrize("at", [False, True])
@pytest.mark.parametrize("mpd", ["true", "estimated"])
def test_naive_loop(mpd, at, tgo, width, f_c, name):
    x = inputs(4, 3, 5, 6, 6).requires_grad_()
    weights = inputs(5, 3, 5, 6, 6, seed=1)
    neuron = DSATGO(
        num_steps=4, threshold=0.9, f_c=f_c, mpd=mpd, adaptive_threshold=at, adaptive_width=tgo, width=width
    ).double()
    w = neuron.w.detach().clone().requires_grad_()
    spikes, v, thresholds = naive(x, w.sigmoid(), f_c, 0.9, mpd, at, tgo, width)
    with backend(name):
        got = neuron.forward_with_state(x)
    torch.testing.assert_close(got[0], spikes, rtol=0, atol=1e-12)
    torch.testing.assert_close(got[1][0], v, rtol=0, atol=1e-12)
    gradients = []
    for (s, u), leak in (((got[0], got[1][0]), neuron.w), ((spikes, v), w)):
        loss = (s * weights[:-1]).sum() + (u * weights[-1]).sum()
        gradients.append(torch.autograd.grad(loss, [x, leak]))
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-10)
    running = [0.9 * 0.9 + 0.1 * theta if at else 0.9 for theta in thresholds]
    torch.testing.assert_close(neuron.threshold_T, torch.tensor(running, dtype=torch.float64))


def test_a_layer_fires_as_theorem_1_says():
    """For normal potentials the firing rate is 1 - Phi(1), whatever their mean and scale."""
    for mean, scale in ((0.0, 1.0), (-2.0, 0.3), (5.0, 4.0)):
        x = mean + scale * torch.randn(1, 200_000, generator=torch.Generator().manual_seed(0))
        assert DSATGO()(x).mean().item() == pytest.approx(0.1587, abs=0.003)


def test_evaluation_uses_the_running_thresholds_and_leaves_them_alone():
    neuron = DSATGO(num_steps=3)
    batches = [inputs(3, 40, seed=seed).float() for seed in range(5)]
    expected = torch.ones(3)
    for x in batches:
        _, _, thetas = naive(x.double(), 0.2, 1.0, 1.0, "true", True, True, "std")
        expected = 0.9 * expected + 0.1 * torch.tensor(thetas).float()
        neuron(x)
    torch.testing.assert_close(neuron.threshold_T, expected)
    neuron.eval()
    spikes = neuron(batches[0])
    torch.testing.assert_close(neuron.threshold_T, expected, rtol=0, atol=1e-6)
    v = torch.zeros(40)
    for t, x in enumerate(batches[0]):
        h = neuron.current_decay().detach() * v + x
        assert torch.equal(spikes[t], (h >= neuron.threshold_T[t]).float())
        v = h * (1 - spikes[t])


def test_running_thresholds_travel_with_the_weights():
    neuron = DSATGO(num_steps=2)
    neuron(inputs(2, 30).float())
    assert set(neuron.state_dict()) == {"w", "threshold_T"}
    other = DSATGO(num_steps=2)
    other.load_state_dict(neuron.state_dict())
    x = inputs(2, 30, seed=4).float()
    assert torch.equal(other.eval()(x), neuron.eval()(x))


def test_without_both_halves_it_is_a_lif_with_the_same_leak():
    neuron = DSATGO(Triangle(), 5, adaptive_threshold=False, adaptive_width=False).double()
    lif = LIF(Triangle(), decay=neuron.current_decay().item())
    x = inputs(5, 80)
    assert torch.equal(neuron(x), lif(x))
    assert neuron.current_decay().item() == pytest.approx(0.2)


def test_no_gradient_through_the_statistics():
    """With a surrogate that is 0 everywhere but at the threshold, nothing but the membrane passes a gradient."""
    x = inputs(1, 50).requires_grad_()
    DSATGO(Rectangle(width=1e-9))(x).sum().backward()
    assert x.grad.abs().max() == 0


def test_a_longer_run_than_trained_is_refused():
    neuron = DSATGO(num_steps=2)
    neuron(torch.rand(1, 9))
    with pytest.raises(ValueError, match=r"DSATGO .* each of 2 time steps, so it cannot run 3"):
        neuron(torch.rand(3, 9))
    _, state = neuron.forward_with_state(torch.rand(2, 9))
    with pytest.raises(ValueError, match="cannot run 3"):
        neuron.step(torch.rand(9), state)


def test_a_single_number_has_no_deviation():
    assert DSATGO()(torch.full((1, 1), 2.0)).tolist() == [[1]]


def test_parts_pool_to_the_statistics_of_the_whole():
    whole = inputs(1000, seed=6)
    parts = whole[:17], whole[17:600], whole[600:601], whole[601:]
    rows = [torch.tensor([len(p), p.mean(), ((p - p.mean()) ** 2).sum()]) for p in parts]
    mean, std = pooled(torch.stack(rows).double())
    assert mean.item() == pytest.approx(whole.mean().item(), rel=1e-5)
    assert std.item() == pytest.approx(whole.std().item(), rel=1e-5)


def one_process(rank, folder, name):
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    x = inputs(2, 60)
    neuron = DSATGO(num_steps=2).double()
    with backend(name):
        spikes = neuron(x[:, :20] if rank == 0 else x[:, 20:]).detach()
    both = torch.stack(mean_and_std(x[0, rank * 20 :]))
    if rank == 0:
        neuron.eval()(x)  # one process may evaluate alone
    torch.save((spikes, neuron.threshold_T, both), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["eager", "compiled"])
def test_two_processes_are_one_batch(tmp_path, name):
    mp.spawn(one_process, (tmp_path, name), nprocs=2)
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    x = inputs(2, 60)
    neuron = DSATGO(num_steps=2).double()
    assert torch.equal(torch.cat([spikes for spikes, _, _ in results], 1), neuron(x))
    numbers = torch.cat([x[0], x[0, 20:]])
    for _, threshold_T, both in results:
        torch.testing.assert_close(threshold_T, neuron.threshold_T)
        torch.testing.assert_close(both, torch.stack([numbers.mean(), numbers.std()]))
