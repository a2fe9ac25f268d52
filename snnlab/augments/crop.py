"""Random crop of the zero-padded image."""

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.augments._gather import gather_pixels
from snnlab.augments.base import Augment, draw_integers
from snnlab.ranges import NonNegativeInt


class Crop(Augment):
    """Pads a sample with zeros on all sides and cuts a window of the original size out of it.

    Row and column of the window are independent and uniform over its 2 padding + 1 places each.

    Args:
        padding: zeros added on each side, in pixels. Default 4: the CIFAR recipe of every released code.
    """

    def __init__(self, *, padding: NonNegativeInt = 4) -> None:
        super().__init__()
        if padding < 0:
            raise ValueError(f"crop: padding must be >= 0, got {padding}")
        self.padding = padding

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        top_B = draw_integers(0, 2 * self.padding, x_BTCHW, generator)
        left_B = draw_integers(0, 2 * self.padding, x_BTCHW, generator)
        height, width = x_BTCHW.shape[-2:]
        padded_BTCHW = F.pad(x_BTCHW, (self.padding,) * 4)
        rows_BH = torch.arange(height, device=x_BTCHW.device) + top_B[:, None]
        columns_BW = torch.arange(width, device=x_BTCHW.device) + left_B[:, None]
        return gather_pixels(padded_BTCHW, rows_BH, columns_BW)

    def extra_repr(self) -> str:
        return f"padding={self.padding}"
