"""Layers that treat time steps differently, and so need all of them in one call."""

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class PerStep(Protocol):
    """A layer that declares whether it treats time steps differently; a layer without the attribute does not."""

    @property
    def per_step(self) -> bool: ...


def is_per_step(module: nn.Module) -> bool:
    """Returns True for a layer with `per_step = True`, such as a normalisation with a scale for each step."""
    return isinstance(module, PerStep) and module.per_step
