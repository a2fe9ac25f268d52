"""Networks whose layers have their own numbers of time steps: inputs and outputs are indexed by frame.

Shape suffixes: F frames, T time steps, B samples, K classes, `...` any further axes.
"""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from snnlab.layers.per_step import is_per_step


@runtime_checkable
class OwnTime(Protocol):
    """A layer that declares whether it can have its own number of time steps; a layer without the attribute cannot."""

    @property
    def own_time(self) -> bool: ...


def has_own_time(module: nn.Module) -> bool:
    """Returns True for a layer with `own_time = True`, such as `mixed_if`."""
    return isinstance(module, OwnTime) and module.own_time


def frames_in_batch(model: nn.Module) -> None:
    """Makes a network that maps a constant input [1, B, ...] to logits [T, B, K] map x_FB... to logits [F, B, K].

    Each frame becomes a sample, a constant current for all time steps of the first layer; the logits are averaged over
    the last layer's time steps. This is done with hooks, so that the layers keep their names. A network whose layers
    do not have their own time steps yet (`per_step` is false) is not changed.
    """
    hooks = _Frames([module for module in model.modules() if has_own_time(module)])
    model.register_forward_pre_hook(hooks.fold)
    model.register_forward_hook(hooks.unfold)


class _Frames:
    def __init__(self, layers: list[nn.Module]) -> None:
        self._layers = layers
        self._count = 0

    def fold(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x_FB, *rest = args
        self._count = len(x_FB) if any(is_per_step(layer) for layer in self._layers) else 0
        return (x_FB.flatten(0, 1).unsqueeze(0) if self._count > 1 else x_FB, *rest)

    def unfold(self, module: nn.Module, args: tuple[Any, ...], logits_TNK: Tensor) -> Tensor:
        if not self._count:
            return logits_TNK
        mean_NK = logits_TNK.mean(0)
        return mean_NK.view(self._count, -1, mean_NK.shape[-1])
