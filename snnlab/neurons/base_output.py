"""Hooks that observe only the output of a neuron layer, so that the layer may still run fused with its neighbours."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class _OutputHook:
    """A forward hook that needs neither the module's input nor a call of the module itself."""

    def __init__(self, look: Callable[[Tensor], object]) -> None:
        self._look = look

    def __call__(self, module: nn.Module, args: tuple[object, ...], output: Tensor) -> None:
        self._look(output)


def watch_output(neuron: nn.Module, look: Callable[[Tensor], object]) -> RemovableHandle:
    """Calls a function with a neuron's output [T, ...] after each call, until the returned handle is removed."""
    return neuron.register_forward_hook(_OutputHook(look))


def only_output_is_watched(neuron: nn.Module) -> bool:
    """Returns whether all forward hooks of a neuron need its output only."""
    return all(isinstance(hook, _OutputHook) for hook in neuron._forward_hooks.values())


def show_output(neuron: nn.Module, output_T: Tensor) -> None:
    """Passes an output that was computed without calling the neuron to the hooks that observe it."""
    for hook in list(neuron._forward_hooks.values()):
        hook(neuron, (), output_T)
