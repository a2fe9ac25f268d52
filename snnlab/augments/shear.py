"""Slants the image: rows move sideways, the more the farther they are from the middle row."""

import math
from typing import Literal

import torch
from torch import Tensor

from snnlab.augments._affine import check_interpolation, matrix_from, warp
from snnlab.augments.base import Augment, draw_uniform
from snnlab.ranges import NonNegative


class Shear(Augment):
    """Shears a sample along x about its centre by an angle uniform in [-degrees, degrees].

    The content d rows below the centre moves by d tan(angle) pixels to the left (above it, to the right), as
    in torchvision's `affine(shear=[angle, 0])`; zeros fill what becomes free.

    Args:
        degrees: largest angle in degrees, below 90. Default 30: the released NDA code on CIFAR10-DVS. NDA
            takes 15 on N-Caltech101.
        interpolation: nearest (keeps event counts whole) | bilinear (smoother on images).
    """

    def __init__(
        self, *, degrees: NonNegative = 30.0, interpolation: Literal["nearest", "bilinear"] = "nearest"
    ) -> None:
        super().__init__()
        if not 0 <= degrees < 90:
            raise ValueError(f"shear: degrees must be in [0, 90), got {degrees}")
        check_interpolation(interpolation)
        self.degrees = degrees
        self.interpolation = interpolation

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        limit = math.radians(self.degrees)
        slant_B = draw_uniform(-limit, limit, x_BTCHW, generator).tan()
        one_B, zero_B = torch.ones_like(slant_B), torch.zeros_like(slant_B)
        return warp(x_BTCHW, matrix_from(one_B, slant_B, zero_B, one_B), self.interpolation)

    def extra_repr(self) -> str:
        return f"degrees={self.degrees}, interpolation={self.interpolation}"
