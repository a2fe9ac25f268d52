"""Erases a rectangle of random size, shape and place."""

import math
from typing import Literal

import torch
from torch import Tensor

from snnlab.augments._rectangles import placed
from snnlab.augments.base import Augment
from snnlab.ranges import Fraction, Positive

_ATTEMPTS = 10


class RandomErasing(Augment):
    """Erases one rectangle of a normalised sample with probability p (Zhong et al., arXiv:1708.04896).

    The distribution is that of timm's `RandomErasing`: area and, by its logarithm, aspect are uniform, up to ten
    draws until a rectangle is smaller than the image. timm works image by image with Python's generator; this
    one works on whole batches where they are.

    Args:
        p: probability. Default 0.25: Spikformer, Spikingformer, QKFormer and Meta-SpikeFormer.
        min_area: smallest area, as a share of the image.
        max_area: largest area. Default 1/3: timm's.
        min_aspect: smallest height over width; the largest is its inverse.
        mode: const (0, which is the mean) | pixel (normal noise). Spikformer and Spikingformer have the first,
            QKFormer and Meta-SpikeFormer the second.

    Raises:
        ValueError: `min_area` is above `max_area`, or `min_aspect` above 1.
    """

    normalized = True

    def __init__(
        self,
        *,
        p: Fraction = 0.25,
        min_area: Fraction = 0.02,
        max_area: Fraction = 0.333333,
        min_aspect: Positive = 0.3,
        mode: Literal["const", "pixel"] = "const",
    ) -> None:
        super().__init__()
        if min_area > max_area or min_aspect > 1:
            raise ValueError(
                f"random_erasing: min_area must be at most max_area and min_aspect at most 1, got {min_area}, "
                f"{max_area} and {min_aspect}"
            )
        self.p, self.min_area, self.max_area = p, min_area, max_area
        self.log_aspect = -math.log(min_aspect)
        self.mode = mode

    def forward(self, x_BTCHW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        batch, _, channels, height, width = x_BTCHW.shape
        units = torch.rand(3, batch, _ATTEMPTS, generator=generator, device=x_BTCHW.device)
        area_BA = (self.min_area + (self.max_area - self.min_area) * units[0]) * height * width
        aspect_BA = (self.log_aspect * (2 * units[1] - 1)).exp()
        heights_BA, widths_BA = (area_BA * aspect_BA).sqrt().round(), (area_BA / aspect_BA).sqrt().round()
        fits_BA = (heights_BA < height) & (widths_BA < width)
        first_B1 = fits_BA.to(torch.int32).argmax(1, keepdim=True)
        chosen_B = (units[2, :, 0] < self.p) & fits_BA.any(1)
        erased_BHW = placed(
            heights_BA.gather(1, first_B1)[:, 0], widths_BA.gather(1, first_B1)[:, 0], x_BTCHW, generator
        )
        erased_B11HW = (erased_BHW & chosen_B[:, None, None])[:, None, None]
        if self.mode == "const":
            return x_BTCHW.masked_fill(erased_B11HW, 0)
        noise_B1CHW = torch.randn(
            batch, 1, channels, height, width, generator=generator, device=x_BTCHW.device, dtype=x_BTCHW.dtype
        )
        return torch.where(erased_B11HW, noise_B1CHW, x_BTCHW)

    def extra_repr(self) -> str:
        return f"p={self.p}, min_area={self.min_area}, max_area={self.max_area:.3g}, mode={self.mode}"
