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

from snnlab.export.nir_for_norse import fold_scales
from snnlab.export.nir_neurons import neuron_node
from snnlab.export.nir_scales import scale_and_shift
from snnlab.export.readers import ABOVE, Reader, step_of
from snnlab.layers.affine_norm import affine_of
from snnlab.layers.dropout import SharedDropout
from snnlab.layers.per_step import is_per_step
from snnlab.layers.time import EachStep
from snnlab.layers.trace import is_norm, trace
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.time_axis import fold_time

_PASSED_THROUGH = (nn.Identity, nn.Dropout, SharedDropout)


def to_nir(
    model: nn.Module, x_TBCHW: Tensor, dt: float | None = None, reader: Reader = "any"
) -> nir.NIRGraph:
    """The graph of a trained network in evaluation mode.

    NIR's neurons are differential equations. With a forward Euler step of dt they are ours:

        tau dv/dt = v_leak - v + r x,   decay = 1 - dt / tau,   v_leak = v_reset,
        r = tau / dt (or 1 with decay_input),   and for IF  dv/dt = r x,  r = 1 / dt.

    Potentials are counted from the reset potential, so that v_reset and v_leak are 0. Normalisations are folded into
    the convolution or linear layer before them where that has no other reader, and are 1x1 convolutions with diagonal
    weights elsewhere, for spikingjelly reads no groups. Edges that meet in a node are added up, as NIR has it.
    `Flatten` counts its axes from the last, for some readers count them with the batch and some without.

    Args:
        model: maps x_TBCHW to logits [T, B, K].
        x_TBCHW: an input, for its shape; its values do not matter.
        dt: length of a time step in seconds; the reader has to use the same. None: the reader's own.
        reader: the package that the file is for (`snnlab.export.readers`); "any" is NIR as it is defined, which
            spikingjelly reads, and snntorch where the network has no `if` neurons.

    Raises:
        ValueError: a layer has no form in NIR: other neurons, a subtractive reset, an initial potential, parameters
            for each time step, maximum pooling, attention; or the reader cannot read it.
    """
    dt = step_of(reader, dt)
    model.eval()
    recorder = _Recorder(trace(model), dt, reader)
    with torch.inference_mode():
        recorder.run(x_TBCHW[:1, :1])
    if reader == "norse":
        fold_scales(recorder.nodes, recorder.edges, recorder.shapes, _array(x_TBCHW[:0]).dtype)
    fires = "above" if reader in ABOVE else "at"
    about = {"dt": dt, "fires": fires}  # the threshold, for `snnlab import`
    return nir.NIRGraph(recorder.nodes, recorder.edges, metadata=about, type_check=False)


def write(
    model: nn.Module, x_TBCHW: Tensor, path: Path, dt: float | None = None, reader: Reader = "any"
) -> None:
    """Writes `to_nir` into an HDF5 file, which `nir.read` opens."""
    nir.write(path, to_nir(model, x_TBCHW, dt, reader))


class _Recorder(fx.Interpreter):
    """Runs a traced network on one sample and notes the NIR node of each layer on the way.

    Attributes:
        nodes, edges: of the NIR graph.
        shapes: of a node's input, without time and batch.
        sources: NIR nodes whose outputs, added up, are the value of a node of the trace.
    """

    def __init__(self, traced: fx.GraphModule, dt: float, reader: Reader) -> None:
        super().__init__(traced)
        self.extra_traceback = False  # it would write the traced code into the messages for the user
        self.dt = dt
        self.reader = reader
        self.nodes: dict[str, nir.NIRNode] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.edges: list[tuple[str, str]] = []
        self.sources: dict[fx.Node, tuple[str, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        read = n.all_input_nodes
        if n.op == "placeholder":
            self._add("input", nir.Input({"input": np.array(result.shape[2:])}), (), result)
            self.sources[n] = ("input",)
        elif n.op == "output":
            self._add(
                "output", nir.Output({"output": np.array(result.shape[2:])}), self.sources[read[0]], result
            )
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
            pool = self._add(f"{n.name}_pool", _average(size, size), self.sources[read[0]], x_TBCHW)
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
                sources = self._add(f"{name}.{part}", _stateless(name, layer, x_N), sources, x_N[None])
                x_N = layer(x_N)
            return sources
        if is_norm(module):
            scale_C, shift_C = _affine(name, module, x_TB)
            alone = len(sources) == 1 and len(before.users) == 1
            if alone and isinstance(node := self.nodes[sources[0]], (nir.Conv2d, nir.Affine)):
                node.weight = node.weight * scale_C.reshape(-1, *[1] * (node.weight.ndim - 1))
                node.bias = node.bias * scale_C + shift_C
                return sources
            return self._add(name, scale_and_shift(scale_C, shift_C, x_TB.shape[2:]), sources, x_TB)
        if isinstance(module, IntegrateAndFire):
            node = neuron_node(name, module, _array(x_TB[0, 0]), self.dt, self.reader)
            return self._add(name, node, sources, x_TB)
        return self._add(name, _stateless(name, module, fold_time(x_TB)), sources, x_TB)

    def _flatten(self, name: str, x_TB: Tensor, sources: tuple[str, ...]) -> tuple[str, ...]:
        shape = np.array(x_TB.shape[2:])
        return self._add(name, nir.Flatten({"input": shape}, start_dim=-len(shape)), sources, x_TB)

    def _add(self, name: str, node: nir.NIRNode, sources: tuple[str, ...], x_TB: Tensor) -> tuple[str, ...]:
        name = name.replace(".", "_")
        self.nodes[name] = node
        self.shapes[name] = tuple(x_TB.shape[2:])
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
    if isinstance(layer, nn.AvgPool2d) and _is_plain(layer):
        return _average(_pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding))
    raise ValueError(f"{name}: NIR has no form for {type(layer).__name__}")


def _affine(name: str, norm: nn.Module, x_TBC: Tensor) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Scale and shift [C] of a norm in evaluation mode."""
    if is_per_step(norm):
        raise ValueError(f"{name}: {type(norm).__name__} treats time steps differently, which NIR cannot say")
    scale_C, shift_C = affine_of(norm, x_TBC.shape[2], x_TBC.dtype)
    return _array(scale_C), _array(shift_C)


def _is_plain(pool: nn.AvgPool2d) -> bool:
    """Whether every output is a sum divided by the kernel's size, padding included, as NIR's readers have it."""
    padded = bool(_pair(pool.padding).any())
    return not pool.ceil_mode and pool.divisor_override is None and (pool.count_include_pad or not padded)


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
