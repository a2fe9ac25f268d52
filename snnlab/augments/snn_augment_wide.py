"""Applies one randomly chosen geometric operation of random strength to each recording: Spikformer's SNNAugmentWide."""

import math

import torch
from torch import Tensor

from snnlab.augments._affine import matrix_from, warp
from snnlab.augments._rectangles import placed
from snnlab.augments.base import Augment, draw_integers, draw_uniform
from snnlab.ranges import Fraction, NonNegative

_STRENGTHS = 31
_CHOICES = ("identity", "shear", "translate along x", "translate along y", "rotate", "cutout")


class SNNAugmentWide(Augment):
    """Applies one of six operations to each sample, chosen with equal probability, at one of 31 strengths.

    Identity; shear along x; translation along x or y by whole pixels; rotation; a square set to zero. Pixels from
    outside are zero, others the nearest. It is Spikformer's augmentation of CIFAR10-DVS at 128 x 128, made of
    TrivialAugment (Mueller and Hutter, arXiv:2103.10158).

    Args:
        shear: largest shear in radians, below pi / 2.
        translate: largest translation in pixels. Strengths in between are rounded towards 0.
        rotate: largest angle in degrees.
        min_area: smallest area of the square, as a share of the image.
        max_area: largest area of the square.

    Raises:
        ValueError: `min_area` is above `max_area`, or the shear is too large.
    """

    def __init__(
        self,
        *,
        shear: NonNegative = 0.3,
        translate: NonNegative = 5.0,
        rotate: NonNegative = 30.0,
        min_area: Fraction = 0.001,
        max_area: Fraction = 0.11,
    ) -> None:
        super().__init__()
        if min_area > max_area or shear >= math.pi / 2:
            raise ValueError(
                "snn_augment_wide: min_area must be at most max_area and shear below pi / 2, got "
                f"{min_area}, {max_area} and {shear}"
            )
        self.shear, self.translate, self.rotate = shear, translate, math.radians(rotate)
        self.min_area, self.max_area = min_area, max_area

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        choice_B = draw_integers(0, len(_CHOICES) - 1, x_BTCHW, generator)
        strength_B = draw_integers(0, _STRENGTHS - 1, x_BTCHW, generator) / (_STRENGTHS - 1) * 2 - 1

        def only(name: str, values_B: Tensor) -> Tensor:
            return values_B.where(choice_B == _CHOICES.index(name), 0.0)

        angle_B = only("rotate", self.rotate * strength_B)
        slant_B = only("shear", self.shear * strength_B).tan()
        # A third of a pixel is not exact: without the small number 3 / 3 might be rounded to 0.
        shift_B = (self.translate * strength_B * (1 + 1e-6)).trunc()
        shift_B2 = torch.stack([only("translate along x", shift_B), only("translate along y", shift_B)], -1)
        cos_B, sin_B = angle_B.cos(), angle_B.sin()
        # At most one of rotation and shear differs from the identity.
        matrix_B22 = matrix_from(cos_B, slant_B - sin_B, sin_B, cos_B)
        moved_BTCHW = warp(x_BTCHW, matrix_B22, "nearest", shift_B2)
        cut_B11HW = (
            self._squares(x_BTCHW, generator) & (choice_B == _CHOICES.index("cutout"))[:, None, None]
        )[:, None, None]
        return moved_BTCHW.masked_fill(cut_B11HW, 0)

    def _squares(self, x_BTCHW: Tensor, generator: torch.Generator | None) -> Tensor:
        height, width = x_BTCHW.shape[-2:]
        side_B = (
            (draw_uniform(self.min_area, self.max_area, x_BTCHW, generator) * height * width).sqrt().round()
        )
        side_B = side_B.clamp(max=min(height, width) - 1)
        return placed(side_B, side_B, x_BTCHW, generator)

    def extra_repr(self) -> str:
        return f"shear={self.shear}, translate={self.translate}, rotate={math.degrees(self.rotate):g}"
