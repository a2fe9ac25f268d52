"""Applies one of several geometric transforms to each sample."""

import torch
from torch import Tensor

from snnlab.augments.base import Augment, draw_integers
from snnlab.augments.cutout import Cutout
from snnlab.augments.roll import Roll
from snnlab.augments.rotate import Rotate
from snnlab.augments.shear import Shear
from snnlab.ranges import NonNegative, NonNegativeInt, PositiveInt


class NDA(Augment):
    """Applies one of roll, rotate, shear and cutout to each sample, or several (Li et al., arXiv:2203.06145).

    Every operation whose strength is not null is chosen with the same probability. A strength of 0 makes that
    choice the identity. Pixels are those of the network's input; rotate and shear take the nearest
    pixel. The defaults are the released NDA code on CIFAR10-DVS at 48x48. Others: N-Caltech101 in that code
    `roll=3 rotate=15 shear=15`; TWD and LM-HT on CIFAR10-DVS `roll=5 rotate=30 shear=null cutout=16`.

    Args:
        roll: largest shift of `roll` in pixels; null: without it.
        rotate: largest angle of `rotate` in degrees; null: without it.
        shear: largest angle of `shear` in degrees, below 90; null: without it.
        cutout: side of the hole of `cutout` in pixels; null: without it. The released NDA code has none.
        operations: how many are drawn for each sample, with replacement, and applied one after the other. LM-HT has
            2 on DVS-Gesture.

    Raises:
        ValueError: all four are null, or one is out of its range.
    """

    def __init__(
        self,
        *,
        roll: NonNegativeInt | None = 5,
        rotate: NonNegative | None = 30.0,
        shear: NonNegative | None = 30.0,
        cutout: NonNegativeInt | None = None,
        operations: PositiveInt = 1,
    ) -> None:
        super().__init__()
        ops: list[Augment] = []
        if roll is not None:
            ops.append(Roll(max_pixels=roll))
        if rotate is not None:
            ops.append(Rotate(degrees=rotate))
        if shear is not None:
            ops.append(Shear(degrees=shear))
        if cutout is not None:
            ops.append(Cutout(size=cutout))
        if not ops:
            raise ValueError("nda: at least one of roll, rotate, shear and cutout must not be null")
        self.ops = torch.nn.ModuleList(ops)
        self.operations = operations

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        for _ in range(self.operations):
            x_BTCHW = self._one(x_BTCHW, generator)
        return x_BTCHW

    def _one(self, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
        choice_B = draw_integers(0, len(self.ops) - 1, x_BTCHW, generator)
        y_BTCHW = x_BTCHW
        for index, op in enumerate(self.ops):
            chosen_B1111 = (choice_B == index).view(-1, 1, 1, 1, 1)
            y_BTCHW = torch.where(chosen_B1111, op(x_BTCHW, generator), y_BTCHW)
        return y_BTCHW
