"""RandAugment as timm does it, in the loader."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from snnlab.augments._timm_draws import drawn_from
from snnlab.packages import need
from snnlab.ranges import NonNegative, PositiveInt

_SETS = {
    "timm": None,  # all that timm has
    "spikformer": ["Equalize", "Rotate", "ShearX", "TranslateXRel", "TranslateYRel"],
}


class RandAugment(nn.Module):
    """Applies randomly chosen operations of a given strength (Cubuk et al., arXiv:1909.13719), with timm's code.

    Each chosen operation is applied with probability 0.5, at a strength drawn from a normal distribution and cut
    to 0..10; operations grow with the strength (timm's `inc1`). Works on one uint8 image at a time, in the
    loader's worker. The defaults are `rand-m9-mstd0.5-inc1`, of Spikformer, QKFormer and Meta-SpikeFormer on
    ImageNet; Spikformer on CIFAR-10 has `operations=1 spread=0.4` and a list of its own.

    Args:
        magnitude: mean strength, of 10.
        spread: standard deviation of the strength.
        operations: how many are drawn for each image, with replacement.
        choices: operations to draw from: timm (all 15) | spikformer (5: its list for CIFAR-10). The five are
            Equalize, Rotate, ShearX, TranslateXRel and TranslateYRel.
        fill: colour of uncovered pixels, 0 to 255. Default: ImageNet's mean; that of CIFAR-10 is [125, 123, 114].
        interpolation: of the geometric operations: bicubic | bilinear | random (one of both for each).

    Raises:
        ValueError: the strength is above 10, `fill` is not three numbers from 0 to 255, or an input is not uint8
            [1 or 3, H, W].
    """

    in_loader: ClassVar[bool] = True

    def __init__(
        self,
        *,
        magnitude: PositiveInt = 9,
        spread: NonNegative = 0.5,
        operations: PositiveInt = 2,
        choices: Literal["timm", "spikformer"] = "timm",
        fill: tuple[int, ...] = (124, 116, 104),
        interpolation: Literal["bicubic", "bilinear", "random"] = "bicubic",
    ) -> None:
        super().__init__()
        if magnitude > 10:
            raise ValueError(f"rand_augment: magnitude must be at most 10, got {magnitude}")
        if len(fill) != 3 or not all(0 <= value <= 255 for value in fill):
            raise ValueError(f"rand_augment: fill must be three numbers in 0..255, got {list(fill)}")
        need("timm", "augment.rand_augment")
        from timm.data.auto_augment import rand_augment_transform
        from timm.data.transforms import str_to_pil_interp

        def built(colour: object) -> Callable[[Any], Any]:
            hparams: dict[str, object] = {"img_mean": colour}
            if interpolation != "random":
                hparams["interpolation"] = str_to_pil_interp(interpolation)  # type: ignore[no-untyped-call]  # untyped in timm
            words = f"rand-m{magnitude}-n{operations}-mstd{spread}-inc1"
            transform: Callable[[Any], Any] = rand_augment_transform(words, hparams, _SETS[choices])
            return transform

        self._by_channels = {3: built(tuple(fill)), 1: built(fill[0])}

    def forward(self, x_CHW: Tensor) -> Tensor:
        if x_CHW.ndim != 3 or x_CHW.shape[0] not in (1, 3) or x_CHW.dtype != torch.uint8:
            raise ValueError(
                "rand_augment works on static uint8 images [1 or 3, H, W], "
                f"got {x_CHW.dtype} {list(x_CHW.shape)}; use it with digits or an image data set"
            )
        transform = self._by_channels[x_CHW.shape[0]]
        # The seed follows the loader's seed for this sample's batch.
        with drawn_from(int(torch.randint(2**63 - 1, ()))):
            y_CHW: Tensor = pil_to_tensor(transform(to_pil_image(x_CHW)))
        return y_CHW
