"""A network in the Neuromorphic Intermediate Representation, which simulators and chips read.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from operator import add, iadd
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from snnlab.layers.affine_norm import affine_of
from snnlab.layers.dropout import SharedDropout
from snnlab.layers.per_step import is_per_step
from snnlab.layers.time import EachStep
from snnlab.layers.trace import is_norm, trace
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.time_axis import fold_time

DT = 1e-4
_PASSED_THROUGH = (nn.Identity, nn.Dropout, SharedDropout)


def to_nir(model: nn.Module, x_TBCHW: Tensor, dt: float = DT) -> nir.NIRGraph:
    """The graph of a trained network in evaluation mode.

    NIR's neurons are differential equations. With a forward Euler step of dt they are ours:

        tau dv/dt = v_leak - v + r x,   decay = 1 - dt / tau,   v_leak = v_reset,
        r = tau / dt (or 1 with decay_input),   and for IF  dv/dt = r x,  r = 1 / dt.

    Normalisations are folded into the convolution or linear layer before them where that has no other reader, and
    are depthwise 1x1 convolutions elsewhere. Edges that meet in a node are added up, as NIR has it.

    Args:
        model: maps x_TBCHW to logits [T, B, K].
        x_TBCHW: an input, for its shape; its values do not matter.
        dt: length of a time step in seconds; the reader has to use the same. 1e-4 is what snntorch and
            spikingjelly take.

    Raises:
        ValueError: a layer has no form in NIR: other neurons, a subtractive reset, an initial potential, parameters
            for each time step, maximum pooling, attention.
    """
    model.eval()
    recorder = _Recorder(trace(model), dt)
    with torch.inference_mode():
        recorder.run(x_TBCHW[:1, :1])
    return nir.NIRGraph(recorder.nodes, recorder.edges, metadata={"dt": dt}, type_check=False)


def write(model: nn.Module, x_TBCHW: Tensor, path: Path, dt: float = DT) -> None:
    """Writes `to_nir` into an HDF5 file, which `nir.read` opens."""
    nir.write(path, to_nir(model, x_TBCHW, dt))


class _Recorder(fx.Interpreter):
    """Runs a traced network on one sample and notes the NIR node of each layer on the way.

    Attributes:
        nodes, edges: of the NIR graph.
        sources: NIR nodes whose outputs, added up, are the value of a node of the trace.
    """

    def __init__(self, traced: fx.GraphModule, dt: float) -> None:
        super().__init__(traced)
        self.extra_traceback = False  # it would write the traced code into the messages for the user
        self.dt = dt
        self.nodes: dict[str, nir.NIRNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.sources: dict[fx.Node, tuple[str, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        read = n.all_input_nodes
        if n.op == "placeholder":
            self._add("input", nir.Input({"input": np.array(result.shape[2:])}), ())
            self.sources[n] = ("input",)
        elif n.op == "output":
            self._add("output", nir.Output({"output": np.array(result.shape[2:])}), self.sources[read[0]])
        elif n.op == "call_module":
            module = self.fetch_attr(str(n.target))
            x_TB = self.env[read[0]]
            self.sources[n] = self._layer(str(n.target), module, x_TB, self.sources[read[0]], read[0])
        elif n.target in (add, iadd, torch.add) and len(read) == 2:
            self.sources[n] = self.sources[read[0]] + self.sources[read[1]]
            if len(set(self.sources[n])) < len(self.sources[n]):
                raise ValueError(
                    f"{n.name}: adds a layer's output to itself, which an edge of NIR cannot say"
                )
        elif n.target == "flatten" and n.args[1:] == (2,):
            self.sources[n] = self._flatten(n.name, self.env[read[0]], self.sources[read[0]])
        elif n.target == "mean" and n.args[1:] == ((3, 4),):
            x_TBCHW = self.env[read[0]]
            size = np.array(x_TBCHW.shape[-2:])
            pool = self._add(f"{n.name}_pool", _average(size, size), self.sources[read[0]])
            self.sources[n] = self._flatten(n.name, x_TBCHW[..., :1, :1], pool)
        else:
            raise ValueError(f"{n.name}: NIR has no form for {n.target}")
        return result

    def _layer(
        self, name: str, module: nn.Module, x_TB: Tensor, sources: tuple[str, ...], before: fx.Node
    ) -> tuple[str, ...]:
        """Adds the nodes of one layer and returns what its output is called."""
        if isinstance(module, _PASSED_THROUGH):
            return sources
        if isinstance(module, EachStep):
            x_N = fold_time(x_TB)
            for part, layer in module.named_children():
                sources = self._add(f"{name}.{part}", _stateless(name, layer, x_N), sources)
                x_N = layer(x_N)
            return sources
        if is_norm(module):
            scale_C, shift_C = _affine(name, module, x_TB)
            alone = len(sources) == 1 and len(before.users) == 1
            if alone and isinstance(node := self.nodes[sources[0]], (nir.Conv2d, nir.Affine)):
                node.weight = node.weight * scale_C.reshape(-1, *[1] * (node.weight.ndim - 1))
                node.bias = node.bias * scale_C + shift_C
                return sources
            return self._add(name, _scale_and_shift(scale_C, shift_C, x_TB), sources)
        if isinstance(module, IntegrateAndFire):
            return self._add(name, _neuron(name, module, x_TB, self.dt), sources)
        return self._add(name, _stateless(name, module, fold_time(x_TB)), sources)

    def _flatten(self, name: str, x_TB: Tensor, sources: tuple[str, ...]) -> tuple[str, ...]:
        return self._add(name, nir.Flatten({"input": np.array(x_TB.shape[2:])}, start_dim=0), sources)

    def _add(self, name: str, node: nir.NIRNode, sources: tuple[str, ...]) -> tuple[str, ...]:
        name = name.replace(".", "_")
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        return (name,)


def _stateless(name: str, layer: nn.Module, x_N: Tensor) -> nir.NIRNode:
    if isinstance(layer, nn.Conv2d):
        if layer.padding_mode != "zeros":
            raise ValueError(f"{name}: NIR pads with zeros only")
        return nir.Conv2d(
            tuple(x_N.shape[-2:]),
            _array(layer.weight),
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
            _bias(layer),
        )
    if isinstance(layer, nn.Linear):
        return nir.Affine(_array(layer.weight), _bias(layer))
    if isinstance(layer, nn.AvgPool2d) and not layer.ceil_mode:
        return _average(_pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding))
    raise ValueError(f"{name}: NIR has no form for {type(layer).__name__}")


def _neuron(name: str, neuron: IntegrateAndFire, x_TB: Tensor, dt: float) -> nir.NIRNode:
    dynamics, decay = neuron.dynamics, float(neuron.current_decay())
    if dynamics.soft_reset:
        raise ValueError(f"{name}: the neurons of NIR are reset to a potential, not by subtraction")
    if neuron.v_init != dynamics.v_reset:
        raise ValueError(f"{name}: the neurons of NIR start at v_reset, here v_init is {neuron.v_init:g}")

    def everywhere(value: float) -> NDArray[np.floating]:
        return _array(torch.full_like(x_TB[0, 0], value))

    reset, threshold = everywhere(dynamics.v_reset), everywhere(dynamics.threshold)
    if decay == 1:
        return nir.IF(r=everywhere(1 / dt), v_threshold=threshold, v_reset=reset)
    steps = 1 / (1 - decay)
    return nir.LIF(
        tau=everywhere(steps * dt),
        r=everywhere(1.0 if dynamics.decay_input else steps),
        v_leak=reset,
        v_threshold=threshold,
        v_reset=reset,
    )


def _affine(name: str, norm: nn.Module, x_TBC: Tensor) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Scale and shift [C] of a norm in evaluation mode."""
    if is_per_step(norm):
        raise ValueError(f"{name}: {type(norm).__name__} treats time steps differently, which NIR cannot say")
    scale_C, shift_C = affine_of(norm, x_TBC.shape[2], x_TBC.dtype)
    return _array(scale_C), _array(shift_C)


def _scale_and_shift(
    scale_C: NDArray[np.floating], shift_C: NDArray[np.floating], x_TBC: Tensor
) -> nir.NIRNode:
    if x_TBC.dim() == 3:
        return nir.Affine(np.diag(scale_C), shift_C)
    weight = scale_C.reshape(-1, 1, 1, 1)
    return nir.Conv2d(tuple(x_TBC.shape[-2:]), weight, 1, 0, 1, len(scale_C), shift_C)


def _average(
    kernel: NDArray[np.int64], stride: NDArray[np.int64], padding: NDArray[np.int64] | None = None
) -> nir.NIRNode:
    return nir.AvgPool2d(kernel, stride, np.zeros(2, int) if padding is None else padding)


def _pair(value: int | tuple[int, int]) -> NDArray[np.int64]:
    return np.array((value, value) if isinstance(value, int) else value)


def _bias(layer: nn.Conv2d | nn.Linear) -> NDArray[np.floating]:
    return _array(layer.weight.new_zeros(len(layer.weight)) if layer.bias is None else layer.bias)


def _array(x: Tensor) -> NDArray[np.floating]:
    array: NDArray[np.floating] = x.detach().cpu().numpy()
    return array
