"""The learned heights of `tsg`: their gradient, their time step, and what happens when steps run out."""

import pytest
import torch

from snnlab.neurons import CF, DSATGO, LIF, PLIF
from snnlab.surrogates import TSG, Triangle

NEURONS = {"lif": LIF, "plif": PLIF, "cf": CF, "dsatgo": lambda s: DSATGO(s, 4)}


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_heights(num_steps, **options):
    surrogate = TSG(num_steps, **options).double()
    with torch.no_grad():
        surrogate.x.copy_(numbers(num_steps, seed=7))
    return surrogate


def test_gradcheck_of_the_smooth_step():
    u = torch.tensor([-3.0, -0.5, -0.2, 0.1, 0.4, 0.45, 2.5], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([0.3, -0.4], dtype=torch.float64, requires_grad=True)

    def smooth(u, x):
        surrogate = TSG(2, s=1.5, b=0.5)
        del surrogate.x
        surrogate.x = x
        return torch.cat([surrogate.at(t, 1.0).primitive(u) for t in (0, 1)])

    assert torch.autograd.gradcheck(smooth, (u, x))


@pytest.mark.parametrize("t", [0, 1])
def test_the_spike_hands_on_the_gradient_of_the_smooth_step(t):
    """The derivative that gradcheck has just approved is what the step passes on."""
    surrogate = with_heights(2)
    u, weights = 1.5 * numbers(500), numbers(500, seed=1)
    results = []
    for name in ("forward", "primitive"):
        v = u.clone().requires_grad_()
        y = getattr(surrogate.at(t, 1.0), name)(v)
        results.append(torch.autograd.grad((y * weights).sum(), [v, surrogate.x]))
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)
    assert results[0][1][t] != 0
    assert results[0][1][1 - t] == 0


def test_published_formula():
    """Eq. 15 to 17 written out, with another x for each step."""
    surrogate = with_heights(3, s=2.5, b=0.3)
    u = 2 * numbers(300)
    for t, x in enumerate(surrogate.x.tolist()):
        alpha = 2.5 / (1 + torch.tensor(-x, dtype=torch.float64).exp().item()) + 0.3
        want = torch.tensor([max(0.0, alpha * (1 - alpha * abs(one))) for one in u.tolist()])
        torch.testing.assert_close(surrogate.at(t, 1.0).gradient(u), want.double(), rtol=1e-6, atol=1e-6)
        assert surrogate.alpha()[t].item() == pytest.approx(alpha)


def test_starts_at_the_best_fixed_height_and_stays_in_its_range():
    surrogate = TSG(4)
    assert surrogate.alpha().tolist() == [2.0] * 4
    u = numbers(100)
    torch.testing.assert_close(surrogate.gradient(u), Triangle(gamma=0.5).gradient(u))
    with torch.no_grad():
        surrogate.x.copy_(torch.tensor([-50.0, -1.0, 1.0, 50.0]))
    assert surrogate.alpha().tolist() == sorted(surrogate.alpha().tolist())
    assert surrogate.alpha()[[0, 3]].tolist() == [1, 3]


def test_far_away_spikes_pull_at_no_height():
    surrogate = TSG(1)
    u = torch.tensor([-1e30, -2.0, 2.0, float("inf")], requires_grad=True)
    surrogate(u).sum().backward()
    assert surrogate.x.grad.tolist() == [0]
    assert u.grad.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("name", NEURONS)
def test_equal_heights_equal_a_fixed_triangle(name):
    x = numbers(4, 60) + 0.5
    results = []
    for surrogate in (TSG(4), Triangle(gamma=0.5)):
        v = x.clone().requires_grad_()
        neuron = NEURONS[name](surrogate).double()
        (neuron(v) * numbers(4, 60, seed=2)).sum().backward()
        results.append(v.grad)
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", NEURONS)
def test_one_step_learns_its_height(name):
    neuron = NEURONS[name](TSG(1))
    neuron(numbers(1, 200)).sum().backward()
    assert neuron.surrogate.x.grad.abs().item() > 0


@pytest.mark.parametrize("name", NEURONS)
def test_streaming_uses_the_height_of_the_step(name):
    """In pieces, the gradients are those of one whole call, so every piece knows where it is in time."""
    x, weights = numbers(4, 50) + 0.4, numbers(4, 50, seed=3)
    results = []
    for pieces in ((4,), (1, 1, 1, 1), (1, 3), (2, 2)):
        neuron = NEURONS[name](with_heights(4)).double()
        v, state, spikes_T = x.clone().requires_grad_(), None, []
        for piece in v.split(pieces):
            s, state = neuron.forward_with_state(piece, state)
            spikes_T.append(s)
        loss = (torch.cat(spikes_T) * weights).sum()
        results.append(torch.autograd.grad(loss, [v, *neuron.parameters()]))
    for other in results[1:]:
        for got, want in zip(other, results[0], strict=True):
            torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", NEURONS)
def test_more_steps_than_trained_are_refused_and_fewer_run(name):
    neuron = NEURONS[name](TSG(4))
    assert neuron(torch.rand(3, 5)).shape == (3, 5)
    with pytest.raises(ValueError, match=r"TSG holds something for each of 4 time steps, so it cannot run 5"):
        neuron(torch.rand(5, 5))
    _, state = neuron.forward_with_state(torch.rand(4, 5))
    with pytest.raises(ValueError, match="cannot run 5"):
        neuron.step(torch.rand(5), state)


@pytest.mark.parametrize("name", NEURONS)
def test_only_the_input_and_the_parameters_are_kept_for_the_backward_pass(name):
    x = torch.randn(4, 100, requires_grad=True)
    neuron = NEURONS[name](TSG(4))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        neuron(x)
    assert x.numel() <= sum(sizes) <= x.numel() + x[0].numel() + 20
