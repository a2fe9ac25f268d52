"""What a call of the compiled kernels costs in Python, and that what is kept of earlier calls changes no result."""

import sys
from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from snnlab.kernels import backend
from snnlab.neurons import CF, LIF, PLIF
from snnlab.surrogates import TSG, ATan, Triangle


def calls_of(layer: nn.Module) -> int:
    """Calls of Python functions in one forward and backward pass, after others that build and plan."""
    x_T, count = torch.randn(4, 1, 8, 2, 2, requires_grad=True), 0
    grad_T = torch.ones_like(x_T)

    def look(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    for _ in range(3):
        layer(x_T).backward(grad_T)
    sys.setprofile(look)
    try:
        layer(x_T).backward(grad_T)
    finally:
        sys.setprofile(None)
    return count


def test_calls_of_a_layer_are_few_times_those_of_relu() -> None:
    with backend("compiled"):
        relu = calls_of(nn.ReLU())
        for neuron in (LIF(), CF(), PLIF(), LIF(TSG(num_steps=4))):
            assert calls_of(neuron) <= 5 * relu


def test_settings_that_change_between_calls() -> None:
    neuron, x_T, before = LIF(), torch.randn(4, 40, generator=torch.Generator().manual_seed(0)), None
    changes = [
        lambda: setattr(neuron, "decay", 0.9),
        lambda: setattr(neuron, "v_init", 0.7),
        lambda: setattr(neuron.surrogate, "gamma", 2.0),
        lambda: setattr(neuron, "surrogate", Triangle(gamma=0.5)),
        lambda: setattr(neuron, "surrogate", ATan(alpha=3.0)),
        lambda: setattr(neuron, "dynamics", replace(neuron.dynamics, threshold=0.6)),
        lambda: setattr(neuron, "dynamics", replace(neuron.dynamics, soft_reset=True)),
    ]
    for change in changes:
        change()
        found = []
        for one in (neuron, deepcopy(neuron)):
            leaf = x_T.clone().requires_grad_()
            with backend("compiled"):
                spikes_T = one(leaf)
            spikes_T.backward(x_T)
            found.append((spikes_T.detach(), leaf.grad))
        assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
        assert before is None or not all(torch.equal(a, b) for a, b in zip(found[0], before, strict=True))
        before = found[0]
