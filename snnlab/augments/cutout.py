"""Sets square regions of an image to zero."""

import torch
from torch import Tensor

from snnlab.augments.base import Augment
from snnlab.ranges import NonNegativeInt


class Cutout(Augment):
    """Sets square holes of a sample to zero (DeVries and Taylor, arXiv:1708.04552).

    The centre of a hole is uniform over the pixels, so a hole near the border is cut off by it: rows
    [cy - size // 2, cy - size // 2 + size) and likewise columns.

    Args:
        holes: holes per sample, drawn independently; they may overlap. Default 1, as in the released codes.
        size: side of a hole in pixels. Default 16: TWD, on CIFAR at 32x32 and on CIFAR10-DVS at 48x48. LM-HT
            has 12 on CIFAR-100.
        normalized: false: before normalisation, holes are black | true: after it, holes are the mean. TWD has the
            first, LM-HT and QCFS the second.
    """

    def __init__(
        self, *, holes: NonNegativeInt = 1, size: NonNegativeInt = 16, normalized: bool = False
    ) -> None:
        super().__init__()
        if holes < 0 or size < 0:
            raise ValueError(f"cutout: holes and size must be >= 0, got {holes} and {size}")
        self.holes = holes
        self.size = size
        self.normalized = normalized

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        height, width = x_BTCHW.shape[-2:]
        rows_BNH = self._covered(height, x_BTCHW, generator)
        columns_BNW = self._covered(width, x_BTCHW, generator)
        hole_BHW = (rows_BNH[:, :, :, None] & columns_BNW[:, :, None, :]).any(1)
        return x_BTCHW.masked_fill(hole_BHW[:, None, None], 0)

    def _covered(self, length: int, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
        """Returns which of `length` positions each hole of a sample covers [B, holes, length]."""
        shape = (x_BTCHW.shape[0], self.holes)
        centre_BN = torch.randint(length, shape, generator=generator, device=x_BTCHW.device)
        start_BN1 = (centre_BN - self.size // 2)[:, :, None]
        position_L = torch.arange(length, device=x_BTCHW.device)
        return (position_L >= start_BN1) & (position_L < start_BN1 + self.size)

    def extra_repr(self) -> str:
        return f"holes={self.holes}, size={self.size}, normalized={self.normalized}"
