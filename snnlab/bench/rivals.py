"""The neuron of the benchmark in other packages: decay 1/2, threshold 1, hard reset, detached, arctangent surrogate.

norse has no arctangent and detaches nothing, so it has a surrogate of its own there, of about the same cost.

Each is a module that maps x_T [T, ...] to spikes [T, ...] and starts from rest in each call, as its package does it.
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.kernels import backend
from snnlab.neurons import LIF
from snnlab.surrogates import ATan

DECAY, THRESHOLD, ALPHA = 0.5, 1.0, 2.0


class Plain(nn.Module):
    """snnlab's neuron in plain PyTorch operations, the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.neuron = lif()

    def forward(self, x_T: Tensor) -> Tensor:
        with backend("eager"):
            spikes_T: Tensor = self.neuron(x_T)
        return spikes_T


class SpikingJelly(nn.Module):
    """spikingjelly's multi-step LIF, in its default back end."""

    def __init__(self) -> None:
        super().__init__()
        from spikingjelly.activation_based import neuron, surrogate

        self.node = neuron.LIFNode(
            tau=1 / (1 - DECAY),
            decay_input=False,
            v_threshold=THRESHOLD,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(ALPHA),
            detach_reset=True,
            step_mode="m",
        )

    def forward(self, x_T: Tensor) -> Tensor:
        self.node.reset()
        spikes_T: Tensor = self.node(x_T)
        return spikes_T


class _Steps(nn.Module):
    """A cell that takes one step at a time: `cell(x, state) -> (spikes, state)`."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x_T: Tensor) -> Tensor:
        state, spikes_T = self.first(), []
        for x in x_T:
            spikes, state = self.cell(x, state)
            spikes_T.append(spikes)
        return torch.stack(spikes_T)

    def first(self) -> Any:
        return None


class SnnTorch(_Steps):
    """snntorch's Leaky."""

    def __init__(self) -> None:
        import snntorch
        from snntorch import surrogate

        gradient = surrogate.atan(alpha=ALPHA)
        super().__init__(
            snntorch.Leaky(beta=DECAY, threshold=THRESHOLD, spike_grad=gradient, reset_mechanism="zero")
        )

    def first(self) -> Any:
        return self.cell.reset_mem()


class Norse(_Steps):
    """norse's box LIF, whose input is scaled by dt / tau, so its threshold is too; its surrogate is SuperSpike's."""

    def __init__(self) -> None:
        from norse.torch import LIFBoxCell
        from norse.torch.functional.lif_box import LIFBoxParameters

        parameters = LIFBoxParameters(
            tau_mem_inv=torch.as_tensor((1 - DECAY) / 1e-3),
            v_th=torch.as_tensor(THRESHOLD * (1 - DECAY)),
            method="super",
            alpha=torch.as_tensor(ALPHA),
        )
        super().__init__(LIFBoxCell(parameters))


def lif() -> nn.Module:
    """The neuron of the comparison."""
    neuron: nn.Module = LIF(ATan(alpha=ALPHA), decay=DECAY, threshold=THRESHOLD, detach_reset=True)
    return neuron


def makers() -> dict[str, Callable[[], nn.Module]]:
    """What makes the neuron in each package that is installed; `relu` is the floor that convolutions set."""
    packages = {"spikingjelly": SpikingJelly, "snntorch": SnnTorch, "norse": Norse}
    there = {name: maker for name, maker in packages.items() if importlib.util.find_spec(name) is not None}
    return {"relu": nn.ReLU, "snnlab": lif, "snnlab plain": Plain, **there}
