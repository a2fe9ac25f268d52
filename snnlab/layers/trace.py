"""Traces a network into a graph of layers that other tools know: neurons, norms, and layers run on each step.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from torch import fx, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.own_time import has_own_time
from snnlab.layers.time import EachStep
from snnlab.neurons.base import Neuron
from snnlab.norms.base import BatchNorm


class _Tracer(fx.Tracer):
    """Traces into every module except those that are a single layer for other tools, too."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return (
            isinstance(m, (Neuron, EachStep, SharedDropout))
            or is_norm(m)
            or super().is_leaf_module(m, module_qualified_name)
        )


def is_norm(module: nn.Module) -> bool:
    """Returns True for a normalisation over time, which contains a batch normalisation."""
    return any(isinstance(child, BatchNorm) for child in module.children())


def trace(model: nn.Module) -> fx.GraphModule:
    """Returns the graph of a network's forward pass on x_TBCHW.

    Raises:
        ValueError: the forward pass cannot be traced, for example because it depends on values.
    """
    own = next((name for name, module in model.named_modules() if has_own_time(module)), None)
    if own is not None:
        raise ValueError(f"{own} runs for time steps of its own")
    try:
        graph = _Tracer().trace(model)
    except (fx.proxy.TraceError, TypeError, RuntimeError) as error:
        raise ValueError(f"{type(model).__name__} is not a graph of layers: {error}") from error
    return fx.GraphModule(model, graph)
