"""Which parameters an optimiser decays."""

from typing import Any

from torch import nn


def param_groups(model: nn.Module, weight_decay: float, decay_norm_and_bias: bool) -> list[dict[str, Any]]:
    """Returns the model's trainable parameters as optimiser groups, in the model's own order.

    With `decay_norm_and_bias` all are in one group, as in PyTorch. Without, the parameters that have at
    most one dimension (scale and shift of normalisation, biases, a neuron's learnable scalars) are in a
    second group with no decay. A group that would be empty is left out.

    Raises:
        ValueError: nothing is trainable.
    """
    params = [param for param in model.parameters() if param.requires_grad]
    if not params:
        raise ValueError("the model has no trainable parameter")
    if decay_norm_and_bias:
        return [{"params": params, "weight_decay": weight_decay}]
    groups = [
        {"params": [param for param in params if param.ndim > 1], "weight_decay": weight_decay},
        {"params": [param for param in params if param.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
