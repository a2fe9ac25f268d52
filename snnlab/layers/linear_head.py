"""The linear classifier of the spiking transformers, and how its weights start."""

from torch import nn


def linear_head(dim: int, num_classes: int) -> nn.Linear:
    """Returns a linear layer, weights from a truncated normal of deviation 0.02, zero bias: [..., dim] -> [..., K]."""
    head = nn.Linear(dim, num_classes)
    nn.init.trunc_normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return head
