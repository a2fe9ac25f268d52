"""The kernels of a process's first call serve later ones: evaluated first or frozen first, and trained afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from torch import Tensor

from snnlab.build import construct
from snnlab.config.schema import Component
from snnlab.kernels import backend
from snnlab.kernels.cpu import backend as cpu
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.registry import component_files, load

T = 3
SHAPE = (T, 64, 1024)
"""Small calls stay in plain PyTorch."""
NEURONS = [
    name
    for name in component_files("neuron")
    if issubclass(load("neuron", name), MembraneNeuron) and name not in ("mixed_if",)
]
SURROGATES = list(component_files("surrogate"))
PAIRS = [(name, "triangle") for name in NEURONS] + [("lif", name) for name in SURROGATES]


def made(name: str, surrogate: str) -> MembraneNeuron:
    context = {"num_steps": T, "surrogate": construct("surrogate", Component(surrogate), {"num_steps": T})}
    found: MembraneNeuron = construct("neuron", Component(name), context)
    return found


def gradients(neuron: MembraneNeuron, name: str) -> dict[str, Tensor]:
    """Of the input and of each parameter that is learned."""
    x_T = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weight_T = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    neuron.zero_grad()
    with backend(name):  # type: ignore[arg-type]
        (neuron(x_T) * weight_T).sum().backward()
    named = {"input": x_T, **dict(neuron.named_parameters())}
    return {name: one.grad.clone() for name, one in named.items() if one.grad is not None}


def assert_as_eager(neuron: MembraneNeuron) -> None:
    ours, expected = gradients(neuron, "auto"), gradients(neuron, "eager")
    assert ours.keys() == expected.keys()
    for name, grad in ours.items():
        # Sums over many elements, in another order.
        assert (grad - expected[name]).norm() <= 1e-4 * expected[name].norm(), name


@pytest.mark.parametrize(("name", "surrogate"), PAIRS)
@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
def test_evaluated_before_it_is_trained(
    name: str,
    surrogate: str,
    without: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu, "_kernels", {})
    neuron = made(name, surrogate)
    with without(), backend("auto"):
        neuron(torch.randn(SHAPE))
    assert_as_eager(neuron)


@pytest.mark.parametrize(("name", "surrogate"), PAIRS)
def test_frozen_before_it_is_trained(name: str, surrogate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_kernels", {})
    neuron = made(name, surrogate).requires_grad_(False)
    assert_as_eager(neuron)
    of_frozen = gradients(neuron, "auto")["input"]
    neuron.requires_grad_(True)
    assert_as_eager(neuron)
    torch.testing.assert_close(of_frozen, gradients(neuron, "auto")["input"])
