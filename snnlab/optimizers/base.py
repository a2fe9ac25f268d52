"""Groups parameters by weight decay and by learning rate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import nn


@dataclass(frozen=True)
class Own:
    """Learning rate and weight decay of a parameter group of its own; None: those of the other parameters."""

    lr: float | None = None
    weight_decay: float | None = None


@runtime_checkable
class HasOptimizerGroups(Protocol):
    """A layer some of whose parameters have optimiser settings of their own."""

    optimizer_groups: Mapping[str, str]
    """Names of its parameters, each with the name of their group, such as `t` or `gamma`."""


def param_groups(
    model: nn.Module, weight_decay: float, decay_norm_and_bias: bool, own: Mapping[str, Own] | None = None
) -> list[dict[str, Any]]:
    """Returns the model's trainable parameters as optimiser groups, in the model's own order.

    With `decay_norm_and_bias` all are in one group, as in PyTorch. Without, the parameters that have at
    most one dimension (scale and shift of normalisation, biases, a neuron's learnable scalars) are in a
    second group with no decay. A group that would be empty is left out.

    Args:
        own: settings for parameters that a layer names in its attribute `optimizer_groups`, a mapping from its
            parameter to a name here, such as `t` and `gamma` of `quant_relu`. They follow in groups of their own.

    Raises:
        ValueError: the model has no trainable parameter.
    """
    members = _members(model, {name for name, one in (own or {}).items() if one != Own()})
    apart = {id(param) for group in members.values() for param in group}
    params = [param for param in model.parameters() if param.requires_grad]
    if not params:
        raise ValueError("the model has no trainable parameter")
    rest = [param for param in params if id(param) not in apart]
    if decay_norm_and_bias:
        groups = [{"params": rest, "weight_decay": weight_decay}]
    else:
        groups = [
            {"params": [param for param in rest if param.ndim > 1], "weight_decay": weight_decay},
            {"params": [param for param in rest if param.ndim <= 1], "weight_decay": 0.0},
        ]
    for name, group in members.items():
        settings: dict[str, Any] = {"params": group}
        one = (own or {})[name]
        if one.lr is not None:
            settings["lr"] = one.lr
        usual = weight_decay if decay_norm_and_bias else 0.0
        settings["weight_decay"] = usual if one.weight_decay is None else one.weight_decay
        groups.append(settings)
    return [group for group in groups if group["params"]]


def _members(model: nn.Module, names: set[str]) -> dict[str, list[nn.Parameter]]:
    found: dict[str, list[nn.Parameter]] = {name: [] for name in sorted(names)}
    for module in model.modules():
        if not isinstance(module, HasOptimizerGroups):
            continue
        for parameter, name in module.optimizer_groups.items():
            param = module.get_parameter(parameter)
            if name in found and param.requires_grad:
                found[name].append(param)
    return found
