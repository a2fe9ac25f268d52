"""Networks with a second head for a teacher's classes, whose logits can be had apart in training.

Shape suffixes: T time steps, B samples, K classes.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class TwoHeads(Protocol):
    """A network that has, or may have, a second head: in training it hands on both if `heads_apart` is set."""

    heads_apart: bool


def take_heads_apart(model: nn.Module) -> None:
    """Makes a network with two heads return the logits of both while it is trained; others are not changed."""
    if isinstance(model, TwoHeads):
        model.heads_apart = True


def both_heads(logits_TBK: Tensor, second_TBK: Tensor, apart: bool) -> Tensor:
    """Returns the logits of both heads [T, B, 2, K] if they are wanted apart, else their mean [T, B, K]."""
    return torch.stack([logits_TBK, second_TBK], 2) if apart else (logits_TBK + second_TBK) / 2


def mean_of_heads(logits: Tensor) -> Tensor:
    """Returns logits [T, B, K] of those of one head or two."""
    return logits.mean(2) if logits.dim() == 4 else logits
