"""A NIR graph in the words that norse reads: sums for averages, and neurons whose r is 1.

Norse passes over `r`, reads no average pools, and sum pools without padding. All of it is linear, so the factors go
into the weights of neighbouring layers.
"""

import nir
import numpy as np

from snnlab.export.nir_scales import scale_and_shift

Edges = list[tuple[str, str]]
_WEIGHTED = (nir.Conv2d, nir.Affine)


def fold_scales(
    nodes: dict[str, nir.NIRNode],
    edges: Edges,
    shapes: dict[str, tuple[int, ...]],
    dtype: np.dtype[np.floating],
) -> None:
    """Changes a graph in place.

    Args:
        nodes, edges: of the graph.
        shapes: of each node's input, without time and batch.
        dtype: of the weights.

    Raises:
        ValueError: norse would run a node before one that it depends on, as in most residual networks.
    """
    for name, node in list(nodes.items()):
        if isinstance(node, nir.AvgPool2d):
            _without_average(name, node, nodes, edges, shapes[name], dtype)
        elif isinstance(node, nir.LIF):
            _with_unit_r(name, node, nodes, edges)
    _check_order(edges)


def _check_order(edges: Edges) -> None:
    """Norse (by nirtorch.load) visits nodes depth first, and runs each one as it gets there."""
    order: list[str] = []
    stack = ["input"]
    while stack:
        name = stack.pop()
        if name in order:
            continue
        order.append(name)
        stack += [target for source, target in reversed(edges) if source == name]
    for source, target in edges:
        if order.index(source) > order.index(target):
            raise ValueError(f"norse would run {target} before {source}, whose output it takes")


def _without_average(
    name: str,
    pool: nir.AvgPool2d,
    nodes: dict[str, nir.NIRNode],
    edges: Edges,
    shape: tuple[int, ...],
    dtype: np.dtype[np.floating],
) -> None:
    """A sum pool, if all that follows are layers with weights of which it is the only input; else a convolution."""
    share = 1.0 / float(np.prod(pool.kernel_size))
    following = _behind_flatten(name, nodes, edges)
    alone = all(
        isinstance(nodes[one], _WEIGHTED) and sum(target == one for _, target in edges) == 1
        for one in following
    )
    if alone and not np.any(pool.padding):
        nodes[name] = nir.SumPool2d(pool.kernel_size, pool.stride, pool.padding)
        for one in following:
            nodes[one].weight = nodes[one].weight * nodes[one].weight.dtype.type(share)
        return
    channels = shape[0]
    weight = np.full((channels, 1, *pool.kernel_size), share, dtype)
    nodes[name] = nir.Conv2d(
        shape[1:],
        weight,
        tuple(map(int, pool.stride)),
        tuple(map(int, pool.padding)),
        1,
        channels,
        np.zeros(channels, dtype),
    )


def _behind_flatten(name: str, nodes: dict[str, nir.NIRNode], edges: Edges) -> list[str]:
    found: list[str] = []
    for target in (target for source, target in edges if source == name):
        is_alone = sum(other == target for _, other in edges) == 1
        through = isinstance(nodes[target], nir.Flatten) and is_alone
        found += _behind_flatten(target, nodes, edges) if through else [target]
    return found


def _with_unit_r(name: str, neuron: nir.LIF, nodes: dict[str, nir.NIRNode], edges: Edges) -> None:
    r = neuron.r.flat[0]
    if r == 1:
        return
    neuron.r = np.ones_like(neuron.r)
    for i, (source, target) in enumerate(edges):
        if target != name:
            continue
        node = nodes[source]
        if isinstance(node, _WEIGHTED) and sum(one == source for one, _ in edges) == 1:
            node.weight, node.bias = node.weight * r, node.bias * r
            continue
        shape = neuron.v_threshold.shape
        scale = np.full(shape[0], r)
        between = f"{source}_to_{name}"
        nodes[between] = scale_and_shift(scale, np.zeros_like(scale), shape)
        edges[i] = (source, between)
        edges.append((between, name))
