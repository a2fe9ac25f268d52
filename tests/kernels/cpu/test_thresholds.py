"""DS-ATGO's compiled kernels, whose thresholds follow the potentials of a layer, against the plain PyTorch form."""

import copy

import pytest
import torch
from torch import Tensor

from snnlab.kernels import backend
from snnlab.kernels.cpu import backend as cpu
from snnlab.neurons import DSATGO
from snnlab.neurons.base_membrane import watch_potentials
from snnlab.surrogates import TSG, ATan
from tests.kernels.cpu.test_backend import currents, results


def assert_same(neuron: DSATGO, x_T: Tensor, state: Tensor | None = None, tolerance: float = 2e-5) -> None:
    other = copy.deepcopy(neuron)
    with backend("auto") as choice:
        (spikes, *found), (expected, *eager) = (
            results(neuron, x_T, state, "compiled"),
            results(other, x_T, state, "eager"),
        )
    assert choice.counts == {"compiled": 1, "eager": 1}
    assert spikes.dtype == expected.dtype
    assert torch.equal(spikes, expected)
    for a, b in zip((*found, neuron.threshold_T), (*eager, other.threshold_T), strict=True):
        assert a.shape == b.shape
        assert (a - b).norm() <= tolerance * (b.norm() + 1e-3)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("size", [1, 63, 1001])
def test_sizes(size: int, steps: int, training: bool) -> None:
    neuron = DSATGO(num_steps=steps + 1).train(training)
    neuron.threshold_T.copy_(torch.linspace(0.5, 1.2, steps + 1))
    state = torch.stack([currents(size, scale=0.3), torch.ones(size)])
    assert_same(neuron, currents(steps, size), None)
    assert_same(neuron, currents(steps, size), state)


@pytest.mark.parametrize("name", ["atan", "tsg"])
def test_surrogates(name: str) -> None:
    assert_same(
        DSATGO({"atan": ATan(), "tsg": TSG(3)}[name], num_steps=3, f_c=1.2, width="threshold"),
        currents(3, 700),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.bfloat16, 5e-3)])
def test_types(dtype: torch.dtype, tolerance: float) -> None:
    neuron = DSATGO(num_steps=3).to(torch.promote_types(dtype, torch.float32))
    assert_same(neuron, currents(3, 700).to(dtype), tolerance=tolerance)


def test_layouts() -> None:
    x = currents(3, 2, 6, 50, 4)
    for x_T in (
        x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (3, 2)),
        x.transpose(0, 1).contiguous().transpose(0, 1),
        x[:1].expand(3, -1, -1, -1, -1),
    ):
        assert_same(DSATGO(num_steps=3), x_T)


def test_far_from_zero() -> None:
    """The deviation is about a thousandth of the mean."""
    assert_same(DSATGO(num_steps=2, adaptive_width=False), currents(2, 5000) / 10 + 100)


def test_watched_potentials() -> None:
    grads = []
    for name in ("compiled", "eager"):
        x_T, neuron = currents(3, 50).requires_grad_(), DSATGO(num_steps=3)
        with backend(name), watch_potentials(neuron, lambda _, h_T: h_T.square().mean()) as measured:  # type: ignore[arg-type]
            spikes_T = neuron(x_T)
        (measured[""][0] + spikes_T.sum()).backward()
        grads.append(x_T.grad)
    assert torch.allclose(*grads, atol=1e-6)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    x_T, threads, found = currents(3, 20001), torch.get_num_threads(), []
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            neuron = DSATGO(num_steps=3)
            found.append([*results(neuron, x_T, None, "compiled"), neuron.threshold_T])
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_layers_share_a_kernel() -> None:
    """Whatever decides their thresholds, and without keeping the first layer alive."""

    with backend("compiled"):
        DSATGO()(currents(1, 9))
        before = len(cpu._kernels)
        DSATGO(f_c=1.2).eval()(currents(1, 9))
    assert len(cpu._kernels) == before
