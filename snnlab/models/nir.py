"""A network that a NIR graph describes: that of another simulator, or one that this package exported.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from snnlab.errors import ConfigError
from snnlab.layers.factory import NeuronFactory
from snnlab.layers.nir_file import metadata_of, read_graph
from snnlab.layers.nir_layers import Reshape, Shape, layer_of, shown, whole_numbers
from snnlab.layers.nir_neurons import NEURONS, Stepping, neuron_layers
from snnlab.layers.nir_plan import SPIKING, Plan, plan_of
from snnlab.layers.recurrent import Recurrent
from snnlab.ranges import Positive

DT = 1e-4
"""Seconds of a time step where neither the file nor the user says: that of snntorch, spikingjelly and our files."""


class NIR(nn.Module):
    """The layers of a NIR graph, with its weights; `snnlab import` makes a run of one.

    Nodes: Input, Output, Linear, Affine, Conv1d, Conv2d, AvgPool2d, SumPool2d, Flatten, Scale; IF, LIF, CubaLIF, LI,
    I, CubaLI (equations: `snnlab/layers/nir_neurons.py`), and subgraphs of them. A loop may lead from one layer of
    neurons back to itself: its spikes arrive one step later. Inputs of several edges are added up. Neurons of a layer
    that all have the same numbers run as neuron=lif, in its fast forms.

    Args:
        neuron: factory of `lif` layers, whose surrogate and reset are taken; all else is the graph's.
        in_channels, num_classes, frame_shape: of the data.
        graph: the NIR file.
        dt: seconds of a time step; null: what the file says, else 0.0001.
        method: euler (forward, as snntorch, norse, spikingjelly do) | exact (for an input that is constant in a step).
        fires: at (the threshold and above it) | above (it only, as NIR has it) | auto: what the file says, else above.
        synapse: of CubaLIF and CubaLI: an input reaches the potential in the same_step (as in snntorch) | next_step.
        output_scale: factor of the outputs, which are the logits; spikes between 0 and 1 make flat probabilities.

    Raises:
        ConfigError: there is no graph, or the file cannot be read.
        ValueError: a node, a loop, a shape or a number is none that runs here, or does not fit the data.
    """

    convolutional = True
    fixed_neuron_keys = ("decay", "tau", "decay_input", "threshold", "v_reset", "v_init")

    def __init__(
        self,
        neuron: NeuronFactory,
        in_channels: int,
        num_classes: int,
        frame_shape: tuple[int, int],
        graph: Path | None = None,
        *,
        dt: Positive | None = None,
        method: Literal["euler", "exact"] = "euler",
        fires: Literal["auto", "at", "above"] = "auto",
        synapse: Literal["same_step", "next_step"] = "same_step",
        output_scale: Positive = 1.0,
    ) -> None:
        super().__init__()
        if graph is None:
            raise ConfigError(
                "model=nir: no NIR file is named",
                "init.file=FILE.nir, or: snnlab import FILE.nir dataset=NAME",
            )
        content = read_graph(graph)
        said_dt, said_fires = metadata_of(content)
        self.stepping = Stepping(
            dt or said_dt or DT,
            method,
            fires if fires != "auto" else said_fires or "above",  # type: ignore[arg-type]  # one of both
            synapse,
        )
        self.output_scale = output_scale
        plan = plan_of(content)
        self._start, self._end = plan.input, plan.output
        self._sources: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, str] = {}
        self.layers = nn.ModuleDict()
        shapes: dict[str, Shape] = {}
        given = (in_channels, *frame_shape)
        for group in plan.groups:
            *inside, name = group
            if name == plan.input:
                shapes[name] = whole_numbers(plan.nodes[name].input_type["input"])
                self._add(name, _entrance(name, given, shapes[name]), ())
                continue
            sources = tuple(one for one in plan.sources[name] if one not in group)
            if not sources:
                raise ValueError(f"the loop of {', '.join(group)} has no input from outside of it")
            shape = _common(name, [shapes[one] for one in sources])
            if inside or name in plan.sources[name]:
                layers: Sequence[nn.Module] = [_loop(plan, group, shape, neuron, self.stepping)]
            else:
                layers, shape = self._layers(plan, name, shape, neuron)
            shapes[name] = shape
            self._add(name, layers, sources)
        if (outputs := shapes[plan.output]) != (num_classes,):
            raise ValueError(f"its output is {shown(outputs)}, and the data have {num_classes} classes")

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        values: dict[str, Tensor] = {}
        for name, sources in self._sources.items():
            x = x_TBCHW
            if sources:
                x = values[sources[0]]
                for one in sources[1:]:
                    x = x + values[one]
            values[name] = self.layers[self._names[name]](x) if name in self._names else x
        logits_TBK = values[self._end]
        return logits_TBK if self.output_scale == 1 else logits_TBK * self.output_scale

    def _layers(
        self, plan: Plan, name: str, shape: Shape, neuron: NeuronFactory
    ) -> tuple[Sequence[nn.Module], Shape]:
        node = plan.nodes[name]
        if node is None or name == plan.output:
            return [], shape
        if type(node).__name__ in NEURONS:
            return neuron_layers(name, node, shape, neuron, self.stepping), shape
        layer, after = layer_of(name, node, shape, _inputs_behind(plan, name))
        return [layer], after

    def _add(self, name: str, layers: Sequence[nn.Module], sources: tuple[str, ...]) -> None:
        """Keeps a node's layers under a name that torch takes; a node without any passes on what it gets."""
        self._sources[name] = sources
        if not layers:
            return
        key = name.replace(".", "_") or "node"
        while key in self.layers or hasattr(self.layers, key):
            key += "_"
        self.layers[key] = layers[0] if len(layers) == 1 else nn.Sequential(*layers)
        self._names[name] = key


def _entrance(name: str, given: Shape, taken: Shape) -> list[nn.Module]:
    """What makes the graph's input of frames; channels, height and width may be one row there."""
    whole = given[0] * given[1] * given[2]
    if given == taken:
        return []
    count = 1
    for one in taken:
        count *= one
    if count != whole:
        raise ValueError(f"its input {name} is {shown(taken)}, and the data give {shown(given)}")
    return [Reshape(given, taken)]


def _common(name: str, shapes: Sequence[Shape]) -> Shape:
    if len(set(shapes)) > 1:
        raise ValueError(f"{name}: inputs of different shapes are added: {', '.join(map(shown, shapes))}")
    return shapes[0]


def _inputs_behind(plan: Plan, name: str) -> int | None:
    """The inputs of the linear layer behind a node, if there is one."""
    behind = [plan.nodes[one] for one in plan.nodes if name in plan.sources[one]]
    weights = [node.weight for node in behind if type(node).__name__ in ("Linear", "Affine")]
    return int(weights[0].shape[-1]) if weights and weights[0].ndim else None


def _loop(
    plan: Plan, group: tuple[str, ...], shape: Shape, neuron: Callable[..., nn.Module], how: Stepping
) -> Recurrent:
    """A layer of neurons, and what its spikes run through on their way back to it."""
    *inside, name = group
    node = plan.nodes[name]
    assert type(node).__name__ in SPIKING
    shapes: dict[str, Shape] = {name: shape}
    loop, keys = nn.ModuleDict(), {name: ""}
    sources: dict[str, tuple[str, ...]] = {}
    for one in inside:
        before = _common(one, [shapes[source] for source in plan.sources[one]])
        if plan.nodes[one] is None:
            layer: nn.Module = nn.Identity()
            shapes[one] = before
        else:
            layer, shapes[one] = layer_of(one, plan.nodes[one], before, _inputs_behind(plan, one))
        if read := [other for other in plan.nodes if one in plan.sources[other] and other not in group]:
            raise ValueError(f"{one} is part of a loop, and {read[0]} outside of it takes its output")
        keys[one] = f"{len(loop)}_{one.rpartition('.')[2]}"
        sources[keys[one]] = tuple(keys[source] for source in plan.sources[one])
        loop[keys[one]] = layer
    back = tuple(one for one in plan.sources[name] if one in group)
    if any(shapes[one] != shape for one in back):
        raise ValueError(f"{name}: its input is {shown(shape)}, and what comes back to it has another shape")
    sources[""] = tuple(keys[one] for one in back)
    parts: list[Any] = neuron_layers(name, node, shape, neuron, how)
    return Recurrent(parts, loop, sources)
