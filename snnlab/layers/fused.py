"""Runs a normalisation and the neuron after it as one operation where possible, else the plain modules.

The modules, their names and their parameters do not depend on which is run. Shape suffixes: T time steps, B samples, C
channels, `...` any further axes.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from snnlab.kernels.choose import fusing
from snnlab.kernels.contract import Call, FusedBackend, Norm
from snnlab.neurons.base import Neuron
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.neurons.base_output import only_output_is_watched, show_output
from snnlab.norms.base import BatchNorm, BatchNormOverTime
from snnlab.time_axis import is_still


class Layers(nn.Sequential):
    """A sequence of layers; a normalisation and the neuron after it run as one operation where possible."""

    def forward(self, x_TB: Tensor) -> Tensor:
        return run(self, x_TB)


def run(layers: Iterable[nn.Module], x_TB: Tensor) -> Tensor:
    """Returns the output of a sequence of layers."""
    todo = list(layers)
    while todo:
        layer = todo.pop(0)
        if todo and isinstance(layer, BatchNormOverTime) and isinstance(todo[0], MembraneNeuron):
            x_TB = norm_and_neuron(layer, todo.pop(0), x_TB)
        else:
            x_TB = layer(x_TB)
    return x_TB


def norm_and_neuron(
    norm: nn.Module, neuron: nn.Module, y_TBC: Tensor, residual_TBC: Tensor | None = None
) -> Tensor:
    """Returns neuron(norm(y) + residual) for y_TBC....

    It runs as one operation if no intermediate result is observed (by hooks, watched potentials or a patched forward;
    the neuron's output may be observed), the normalisation is over this process's batch only, and the back end covers
    the neuron. Output, gradients and running statistics equal those of the plain modules up to rounding.
    """
    if (
        isinstance(norm, BatchNormOverTime)
        and isinstance(neuron, MembraneNeuron)
        and isinstance(y_TBC, Tensor)  # not a tracer's proxy, which has no values to decide on
        and _unobserved(norm, neuron)
        and _as_written(norm, neuron)
        and (call := _call(norm, neuron, y_TBC, residual_TBC)) is not None
        and (fused := fusing(call, residual_TBC is not None, norm.step_factors(len(y_TBC)) is not None))
    ):
        spikes_TBC = _fused(fused, norm, call, residual_TBC)
        show_output(neuron, spikes_TBC)
        return spikes_TBC
    current = norm(y_TBC)
    output_TBC: Tensor = neuron(current if residual_TBC is None else joined(neuron, current, residual_TBC))
    return output_TBC


def joined(neuron: nn.Module, a_T: Tensor, b_T: Tensor) -> Tensor:
    """Returns a_T + b_T, each first aligned to the time steps of the neuron that follows, if it has its own."""
    return neuron.align(a_T) + neuron.align(b_T) if isinstance(neuron, Neuron) else a_T + b_T


def _unobserved(norm: BatchNormOverTime, neuron: MembraneNeuron) -> bool:
    if hooks._global_forward_hooks or hooks._global_forward_pre_hooks:
        return False
    bn = norm.bn  # looked up once: modules of modules are found by a Python function
    if norm._forward_hooks or bn._forward_hooks or not only_output_is_watched(neuron):
        return False
    return not any(
        module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or "forward" in vars(module)
        for module in (norm, bn, neuron)
    )


def _as_written(norm: BatchNormOverTime, neuron: MembraneNeuron) -> bool:
    """Returns whether no subclass overrides the forward pass, and the statistics are not over several processes."""
    bn = norm.bn
    return (
        type(norm).forward is BatchNormOverTime.forward
        and type(bn) is BatchNorm
        and bn.affine
        and bn.track_running_stats
        and type(neuron).forward is MembraneNeuron.forward
        and type(neuron).forward_with_state is MembraneNeuron.forward_with_state
        and neuron.measure is None
    )


def _call(
    norm: BatchNormOverTime, neuron: MembraneNeuron, y_TBC: Tensor, residual_TBC: Tensor | None
) -> Call | None:
    if torch.compiler.is_compiling() or y_TBC.numel() <= y_TBC.shape[2] or is_still(y_TBC):
        return None
    if neuron.num_steps is not None and len(y_TBC) > neuron.num_steps:
        return None
    if residual_TBC is not None and (residual_TBC.shape, residual_TBC.dtype) != (y_TBC.shape, y_TBC.dtype):
        return None
    return neuron.call_of(y_TBC, neuron.rest(y_TBC), 0, keep_state=False)


def _fused(fused: FusedBackend, norm: BatchNormOverTime, call: Call, residual_TBC: Tensor | None) -> Tensor:
    bn = norm.bn
    assert isinstance(bn, BatchNorm)
    stored = (None, None) if bn.training else (bn.running_mean, bn.running_var)
    parts = Norm(bn.weight, bn.bias, norm.step_factors(len(call.x_T)), bn.eps, *stored)
    spikes_TBC, mean, var = fused.norm_and_neuron(call, parts, residual_TBC)
    if bn.training:
        bn.take_up(mean, var, call.x_T.numel() // len(mean))
    return spikes_TBC
