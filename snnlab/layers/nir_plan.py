"""The order in which the nodes of a NIR graph run: subgraphs unfolded, loops through a neuron found. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    import nir

SPIKING = ("IF", "LIF", "CubaLIF")
"""The types of NIR's neurons that fire."""


@dataclass(frozen=True)
class Plan:
    """A graph without subgraphs, in the order of its computation.

    Attributes:
        nodes: each node of the graph by name; those of a subgraph are named `subgraph.node`, and its input and output
            are None, which passes on what it gets.
        sources: the nodes whose outputs, added up, are a node's input.
        groups: all nodes in order; those of a loop are together, its neuron last.
        input, output: names of the two ends.
    """

    nodes: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    groups: tuple[tuple[str, ...], ...]
    input: str
    output: str


def plan_of(graph: "nir.NIRGraph") -> Plan:
    """Returns the order of a graph's nodes.

    Raises:
        ValueError: there is not one input and one output, an edge leads nowhere, a node has no input, or a loop is
            not one neuron whose spikes come back to it.
    """
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    _unfold(graph, "", nodes, edges)
    if len(set(edges)) < len(edges):
        raise ValueError(f"the edge {next(one for one in edges if edges.count(one) > 1)} is there twice")
    ends = {
        kind: [name for name, node in nodes.items() if type(node).__name__ == kind]
        for kind in ("Input", "Output")
    }
    for kind, found in ends.items():
        if len(found) != 1:
            raise ValueError(
                f"one {kind} node is expected, and there are {len(found)}: {', '.join(found) or '-'}"
            )
    sources = {name: tuple(a for a, b in edges if b == name) for name in nodes}
    (start,), (end,) = ends["Input"], ends["Output"]
    for name in nodes:
        if not sources[name] and name != start:
            raise ValueError(f"the node {name} has no input")
    if sources[start]:
        raise ValueError(f"the input {start} takes the output of {sources[start][0]}")
    return Plan(nodes, sources, tuple(_groups(nodes, sources)), start, end)


def _unfold(graph: "nir.NIRGraph", prefix: str, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    """Adds the nodes and edges of a graph; an edge of a subgraph is one of its input or output."""
    entries: dict[str, str] = {}
    exits: dict[str, str] = {}
    for name, node in graph.nodes.items():
        full = prefix + name
        if type(node).__name__ == "NIRGraph":
            entries[name] = f"{full}.{_only(node.inputs, full, 'Input')}"
            exits[name] = f"{full}.{_only(node.outputs, full, 'Output')}"
            _unfold(node, f"{full}.", nodes, edges)
        else:
            inner_end = prefix and type(node).__name__ in ("Input", "Output")
            nodes[full] = None if inner_end else node
    for a, b in graph.edges:
        for one in (a, b):
            if one not in graph.nodes:
                raise ValueError(f"an edge names {prefix}{one}, and there is no such node")
        edges.append((exits.get(a, prefix + a), entries.get(b, prefix + b)))


def _only(found: Mapping[str, Any], name: str, kind: str) -> str:
    if len(found) != 1:
        raise ValueError(f"the subgraph {name} has {len(found)} {kind} nodes, and one is expected")
    return next(iter(found))


def _groups(nodes: Mapping[str, Any], sources: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The strongly connected parts, each after those that it takes its input from."""
    names = list(nodes)
    index = {name: i for i, name in enumerate(names)}
    pairs = np.array([(index[a], index[name]) for name in names for a in sources[name]]).reshape(-1, 2)
    adjacency = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names),) * 2)
    _, labels = connected_components(adjacency, connection="strong")
    parts: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        parts.setdefault(int(label), []).append(name)
    part_of = {name: label for label, part in parts.items() for name in part}
    needs = {
        label: {part_of[a] for name in part for a in sources[name]} - {label} for label, part in parts.items()
    }
    ordered: list[tuple[str, ...]] = []
    done: set[int] = set()
    while len(done) < len(parts):
        ready = [label for label in parts if label not in done and needs[label] <= done]
        done.update(ready)
        ordered += [_loop(parts[label], nodes, sources) for label in ready]
    return ordered


def _loop(
    part: list[str], nodes: Mapping[str, Any], sources: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The nodes of a strongly connected part: what its neuron's last spikes run through, and the neuron."""
    if len(part) == 1 and part[0] not in sources[part[0]]:
        return tuple(part)
    firing = [name for name in part if type(nodes[name]).__name__ in SPIKING]
    if len(firing) != 1:
        raise ValueError(
            f"the loop of {', '.join(sorted(part))} has {len(firing)} neurons that fire: only loops from one layer of "
            "neurons back to itself run here"
        )
    (neuron,) = firing
    ordered: list[str] = []
    while len(ordered) < len(part) - 1:
        ready = [
            name
            for name in part
            if name != neuron
            and name not in ordered
            and all(one in (neuron, *ordered) for one in sources[name] if one in part)
        ]
        if not ready:
            left = sorted(set(part) - {neuron, *ordered})
            raise ValueError(f"the loop of {', '.join(left)} has no neuron in it")
        ordered += ready
    for name in ordered:
        if any(one not in part for one in sources[name]):
            raise ValueError(f"{name} is part of a loop, and takes an input from outside of it")
    return (*ordered, neuron)
