"""Looking at what a neuron layer puts out, and at nothing else of it: the layer may run fused with its neighbours."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class _OutputHook:
    """A forward hook that needs neither the module's input nor the module's own call."""

    def __init__(self, look: Callable[[Tensor], object]) -> None:
        self._look = look

    def __call__(self, module: nn.Module, args: tuple[object, ...], output: Tensor) -> None:
        self._look(output)


def watch_output(neuron: nn.Module, look: Callable[[Tensor], object]) -> RemovableHandle:
    """Shows a neuron's output [T, ...] to a function after each call, until the handle is removed."""
    return neuron.register_forward_hook(_OutputHook(look))


def only_output_is_watched(neuron: nn.Module) -> bool:
    """Whether no forward hook of a neuron needs more than its output."""
    return all(isinstance(hook, _OutputHook) for hook in neuron._forward_hooks.values())


def show_output(neuron: nn.Module, output_T: Tensor) -> None:
    """For who computes a neuron's output without calling it: tells those that watch it."""
    for hook in list(neuron._forward_hooks.values()):
        hook(neuron, (), output_T)
