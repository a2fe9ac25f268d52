"""The weights of a network of mixed time steps, from those of the quantised ANN with the same layers."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from snnlab.convert.linear import check_linear
from snnlab.layers.affine_norm import affine_of
from snnlab.layers.max_pool_over_time import pool_over_time
from snnlab.layers.per_step import is_per_step
from snnlab.layers.time import EachStep
from snnlab.layers.trace import is_norm, trace
from snnlab.neurons.base import Neuron
from snnlab.neurons.quant_relu import QuantReLU

WEIGHTED = (nn.Conv2d, nn.Linear)


def convert(ann: nn.Module, snn: nn.Module, fold: bool) -> None:
    """Gives a network with `mixed_if` neurons the weights, time steps and thresholds of its quantised ANN.

    T of a layer is the ANN's number of levels, theta its gamma (mixed-timestep paper, Theorem 1). Max pools become
    pools of rates (`MaxPoolOverTime`).

    Args:
        ann: with `quant_relu` neurons.
        snn: the same network, built with `mixed_if` neurons; with `shift` for norms if they are folded.
        fold: normalisation goes into the weights before it, by its running statistics.

    Raises:
        ValueError: the ANN has other neurons, does what cannot be recorded or is not linear between neurons (max
            pools aside), or has a norm that cannot be folded.
    """
    neurons = {name: module for name, module in ann.named_modules() if isinstance(module, Neuron)}
    others = [name for name, module in neurons.items() if not isinstance(module, QuantReLU)]
    if others or not neurons:
        what = f"{others[0]} is {type(neurons[others[0]]).__name__}" if others else "there are none"
        raise ValueError(f"all neurons have to be quant_relu, and {what}")
    for name, module in ann.named_modules():
        if is_per_step(module):
            raise ValueError(f"{name} ({type(module).__name__}) treats time steps differently")
    graph = trace(ann)
    check_linear(graph)
    pool_over_time(snn)
    steps = {name: module.time_steps for name, module in neurons.items() if isinstance(module, QuantReLU)}
    state: dict[str, Any] = {}
    for name, module in neurons.items():
        assert isinstance(module, QuantReLU)
        state[f"{name}.theta"] = module.height
    for name, following in consumers(graph).items():
        state[f"{name}._extra_state"] = torch.tensor([steps[name], *(steps[one] for one in following)])
    weights = {
        key: value
        for key, value in ann.state_dict().items()
        if not key.startswith(tuple(f"{name}." for name in neurons))
    }
    if fold:
        for norm, before in norms(graph).items():
            weights = _folded(weights, ann, norm, before)
    snn.load_state_dict({**weights, **state})


def consumers(graph: fx.GraphModule) -> dict[str, list[str]]:
    """For each neuron layer the neuron layers that its output reaches with no other in between."""
    fed = _feeding(graph, (Neuron,))
    found: dict[str, list[str]] = {name: [] for name in fed}
    for name, sources in fed.items():
        for source in sorted(sources):
            found[source].append(name)
    return found


def weighted_inputs(graph: fx.GraphModule) -> dict[str, frozenset[str]]:
    """For each convolution and linear layer the neuron layers that its input comes from; none for the first."""
    modules = dict(graph.named_modules())
    found = {}
    for name, sources in _feeding(graph, (Neuron, EachStep, *WEIGHTED)).items():
        weighted = _weighted(name, modules)
        if weighted is not None:
            found[weighted] = sources
    return found


def _feeding(graph: fx.GraphModule, kinds: tuple[type[nn.Module], ...]) -> dict[str, frozenset[str]]:
    """For each layer of some kinds the neuron layers whose outputs reach it, in the order of execution."""
    modules = dict(graph.named_modules())
    sources: dict[fx.Node, frozenset[str]] = {}
    found = {}
    for node in graph.graph.nodes:
        reaching = frozenset[str]().union(*(sources[one] for one in node.all_input_nodes))
        if node.op == "call_module":
            name, module = str(node.target), modules[str(node.target)]
            if isinstance(module, kinds):
                found[name] = reaching
            if isinstance(module, Neuron):
                reaching = frozenset([name])
        sources[node] = reaching
    return found


def norms(graph: fx.GraphModule) -> dict[str, str]:
    """Each normalisation with the convolution or linear layer whose output it alone takes.

    Raises:
        ValueError: one takes something else.
    """
    modules = dict(graph.named_modules())
    found = {}
    for node in graph.graph.nodes:
        if node.op != "call_module" or not is_norm(modules[node.target]):
            continue
        before = node.all_input_nodes[0]
        name = _weighted(str(before.target), modules) if before.op == "call_module" else None
        if name is None or len(before.users) > 1:
            raise ValueError(f"{node.target} does not follow a convolution alone, so it cannot be folded")
        found[str(node.target)] = name
    return found


def _weighted(name: str, modules: dict[str, nn.Module]) -> str | None:
    """The name of the weighted layer that is all of a module, or its last part."""
    module = modules[name]
    if isinstance(module, EachStep):
        name, module = f"{name}.{len(module) - 1}", module[-1]
    return name if isinstance(module, WEIGHTED) else None


def _folded(weights: dict[str, Tensor], ann: nn.Module, norm: str, before: str) -> dict[str, Tensor]:
    """w' = a w, b' = a b and the rest, as the bias of `shift`, for a norm that is y = a x + c by channel."""
    weight = weights[f"{before}.weight"]
    scale, shift = affine_of(ann.get_submodule(norm), len(weight))
    folded = {key: value for key, value in weights.items() if not key.startswith(f"{norm}.")}
    folded[f"{before}.weight"] = weight * scale.to(weight).view(-1, *[1] * (weight.dim() - 1))
    if f"{before}.bias" in weights:
        folded[f"{before}.bias"] = weights[f"{before}.bias"] * scale.to(weight)
    folded[f"{norm}.bias"] = shift.to(weight)
    return folded
