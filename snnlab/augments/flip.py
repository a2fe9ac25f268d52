"""Mirrors left and right."""

import torch
from torch import Tensor

from snnlab.augments.base import Augment, draw_uniform
from snnlab.ranges import Fraction


class Flip(Augment):
    """Mirrors a sample left-right with probability p.

    Args:
        p: probability of the mirror image. Default 0.5, as in every published CIFAR and CIFAR10-DVS recipe.
        other_class: true: also for data whose mirror images are of another class, which is refused otherwise. LM-HT
            mirrors gestures of DVS128.
    """

    mirrors = True

    def __init__(self, *, p: Fraction = 0.5, other_class: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"flip: p must be in [0, 1], got {p}")
        self.p = p
        self.other_class = other_class

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        mirrored_B = draw_uniform(0.0, 1.0, x_BTCHW, generator) < self.p
        return torch.where(mirrored_B.view(-1, 1, 1, 1, 1), x_BTCHW.flip(-1), x_BTCHW)

    def extra_repr(self) -> str:
        return f"p={self.p}"
