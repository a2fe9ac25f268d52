"""Whether what lies between the neurons of a network acts on spikes as it acts on their rates."""

from torch import fx, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.max_pool_over_time import is_max_pool
from snnlab.layers.time import EachStep
from snnlab.layers.trace import is_norm
from snnlab.neurons.base import Neuron

_LAYERS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.Linear,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
    SharedDropout,
)
_OF_SHAPE = {"getattr", "size", "dim"}
_SUMS = {
    *(
        "add",
        "iadd",
        "add_",
        "sub",
        "isub",
        "sub_",
        "neg",
        "mean",
        "sum",
        "cat",
        "concat",
        "stack",
        "getitem",
    ),
    *(
        "chunk",
        "split",
        "unbind",
        "flatten",
        "unflatten",
        "view",
        "reshape",
        "transpose",
        "permute",
        "movedim",
    ),
    *(
        "swapaxes",
        "squeeze",
        "unsqueeze",
        "expand",
        "expand_as",
        "repeat",
        "contiguous",
        "clone",
        "detach",
        "to",
    ),
    *("type", "float", "double", "roll", "flip", "pad", "dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d"),
    *("adaptive_avg_pool1d", "adaptive_avg_pool2d"),
}
_PRODUCTS = {"mul", "imul", "mul_", "matmul", "bmm", "mm", "einsum", "linear", "conv1d", "conv2d"}
_QUOTIENTS = {"truediv", "itruediv", "div", "div_"}


def check_linear(graph: fx.GraphModule) -> None:
    """Checks that sums over time pass through every operation but neurons and max pools.

    Raises:
        ValueError: one is not linear in the spikes: another activation, a maximum, a product of spikes (attention).
    """
    modules = dict(graph.named_modules())
    signals: set[fx.Node] = set()
    for node in graph.graph.nodes:
        given = [one for one in node.all_input_nodes if one in signals]
        if node.op == "placeholder":
            signals.add(node)
        elif given and node.op == "call_module":
            layer = modules[str(node.target)]
            if not _is_linear(layer) and not isinstance(layer, Neuron) and not is_max_pool(layer):
                inside = " of ".join(type(one).__name__ for one in [layer, *layer.children()][::-1])
                raise ValueError(
                    f"{node.target} ({inside}) is not linear: rates of spikes do not pass it unchanged"
                )
            signals.add(node)
        elif given and node.op in ("call_function", "call_method"):
            name = node.target if isinstance(node.target, str) else node.target.__name__
            if name in _OF_SHAPE:
                continue
            if not _is_linear_call(name, node, signals):
                raise ValueError(
                    f"{node.name} ({name}) is not linear: rates of spikes do not pass it unchanged"
                )
            signals.add(node)


def _is_linear_call(name: str, node: fx.Node, signals: set[fx.Node]) -> bool:
    operands: list[fx.Node] = []  # all_input_nodes has both operands of x * x as one
    fx.map_arg((node.args, node.kwargs), operands.append)
    count = sum(one in signals for one in operands)
    if name in _QUOTIENTS:
        return count == 1 and node.args[0] in signals
    return name in _SUMS or (name in _PRODUCTS and count == 1)


def _is_linear(layer: nn.Module) -> bool:
    if isinstance(layer, EachStep):
        return all(_is_linear(part) for part in layer)
    return is_norm(layer) or isinstance(layer, _LAYERS)
