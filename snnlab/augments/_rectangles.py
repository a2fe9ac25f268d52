"""Rectangles at random places of each sample.

Shapes: B samples, H rows, W columns.
"""

import torch
from torch import Tensor

from snnlab.augments.base import draw_uniform


def placed(heights_B: Tensor, widths_B: Tensor, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
    """Returns which pixels a rectangle of each sample covers, [B, H, W], at a place uniform among all that fit.

    Args:
        heights_B, widths_B: sizes in pixels, whole numbers below those of the sample.
        x_BTCHW: the samples.
        generator: what is drawn from.
    """
    height, width = x_BTCHW.shape[-2:]
    rows_BH = _covered(heights_B, height, draw_uniform(0.0, 1.0, x_BTCHW, generator))
    columns_BW = _covered(widths_B, width, draw_uniform(0.0, 1.0, x_BTCHW, generator))
    return rows_BH[:, :, None] & columns_BW[:, None, :]


def _covered(size_B: Tensor, length: int, unit_B: Tensor) -> Tensor:
    start_B1 = (unit_B * (length - size_B + 1)).floor()[:, None]
    position_L = torch.arange(length, device=size_B.device)
    return (position_L >= start_B1) & (position_L < start_B1 + size_B[:, None])
