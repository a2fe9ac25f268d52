"""Shifts the image by whole pixels, cyclically."""

import torch
from torch import Tensor

from snnlab.augments._gather import gather_pixels
from snnlab.augments.base import Augment, draw_integers
from snnlab.ranges import NonNegativeInt


class Roll(Augment):
    """Shifts a sample by up to max_pixels in both directions; what leaves on one side enters on the other.

    The shifts along H and W are independent integers, uniform in [-max_pixels, max_pixels], applied to every
    sample; the result is `torch.roll(x, (dy, dx), (-2, -1))`.

    Args:
        max_pixels: largest shift along H and W, in pixels of the network's input. Default 5: the released
            TET, TMC and NDA code on 48x48 frames of CIFAR10-DVS. NDA takes 3 on N-Caltech101.
    """

    def __init__(self, *, max_pixels: NonNegativeInt = 5) -> None:
        super().__init__()
        if max_pixels < 0:
            raise ValueError(f"roll: max_pixels must be >= 0, got {max_pixels}")
        self.max_pixels = max_pixels

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        dy_B = draw_integers(-self.max_pixels, self.max_pixels, x_BTCHW, generator)
        dx_B = draw_integers(-self.max_pixels, self.max_pixels, x_BTCHW, generator)
        height, width = x_BTCHW.shape[-2:]
        rows_BH = (torch.arange(height, device=x_BTCHW.device) - dy_B[:, None]) % height
        columns_BW = (torch.arange(width, device=x_BTCHW.device) - dx_B[:, None]) % width
        return gather_pixels(x_BTCHW, rows_BH, columns_BW)

    def extra_repr(self) -> str:
        return f"max_pixels={self.max_pixels}"
