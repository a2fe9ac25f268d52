"""Turns the image about its centre."""

import math
from typing import Literal

import torch
from torch import Tensor

from snnlab.augments._affine import check_interpolation, matrix_from, warp
from snnlab.augments.base import Augment, draw_uniform
from snnlab.ranges import NonNegative


class Rotate(Augment):
    """Turns a sample about its centre by an angle uniform in [-degrees, degrees]; zeros fill the corners.

    Args:
        degrees: largest angle in degrees; positive angles turn counterclockwise. Default 30: NDA and TWD on
            CIFAR10-DVS. NDA takes 15 on N-Caltech101.
        interpolation: nearest (keeps event counts whole) | bilinear (smoother on images). The first is what
            torchvision's RandomRotation does in the released NDA code.
    """

    def __init__(
        self, *, degrees: NonNegative = 30.0, interpolation: Literal["nearest", "bilinear"] = "nearest"
    ) -> None:
        super().__init__()
        if degrees < 0:
            raise ValueError(f"rotate: degrees must be >= 0, got {degrees}")
        check_interpolation(interpolation)
        self.degrees = degrees
        self.interpolation = interpolation

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        limit = math.radians(self.degrees)
        angle_B = draw_uniform(-limit, limit, x_BTCHW, generator)
        cos_B, sin_B = angle_B.cos(), angle_B.sin()
        # Rows grow downwards: the inverse of a counterclockwise turn has its minus sign above the diagonal.
        return warp(x_BTCHW, matrix_from(cos_B, -sin_B, sin_B, cos_B), self.interpolation)

    def extra_repr(self) -> str:
        return f"degrees={self.degrees}, interpolation={self.interpolation}"
