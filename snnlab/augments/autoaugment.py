"""AutoAugment's policies for CIFAR-10 and ImageNet, in the loader."""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torchvision.transforms import AutoAugment as TorchvisionAutoAugment
from torchvision.transforms import AutoAugmentPolicy, InterpolationMode

from snnlab.augments._affine import check_interpolation
from snnlab.ranges import NonNegativeInt


class AutoAugment(nn.Module):
    """Applies one of AutoAugment's 25 sub-policies to each image (Cubuk et al., arXiv:1805.09501).

    Works on one uint8 image at a time, in the loader's worker, because colour operations are defined on bytes
    and differ from image to image. Its random numbers come from torch's default generator of that worker
    process (so they follow the seed that the loader gives its workers), not from the generator that the
    operations on the device take.

    Args:
        policy: data on which the sub-policies were found: cifar10 | imagenet. TWD and DS-ATGO take the first also
            for CIFAR-100.
        fill: grey value of the pixels that rotation, shear and translation uncover, 0 to 255. Default 128:
            the paper and the policy table that the TWD, DS-ATGO, QCFS and SEENN codes share (torchvision's
            own is 0).
        interpolation: of the geometric operations: nearest (as in torchvision) | bilinear.

    Raises:
        ValueError: a parameter is out of range, or an input is not uint8 [1 or 3, H, W].
    """

    in_loader: ClassVar[bool] = True

    def __init__(
        self,
        *,
        policy: Literal["cifar10", "imagenet"] = "cifar10",
        fill: NonNegativeInt = 128,
        interpolation: Literal["nearest", "bilinear"] = "nearest",
    ) -> None:
        super().__init__()
        if not 0 <= fill <= 255:
            raise ValueError(f"autoaugment: fill must be in 0..255, got {fill}")
        check_interpolation(interpolation)
        self.policy = TorchvisionAutoAugment(
            AutoAugmentPolicy(policy), interpolation=InterpolationMode(interpolation), fill=[float(fill)]
        )

    def forward(self, x_CHW: Tensor) -> Tensor:
        if x_CHW.ndim != 3 or x_CHW.shape[0] not in (1, 3) or str(x_CHW.dtype) != "torch.uint8":
            raise ValueError(
                "autoaugment works on static uint8 images [1 or 3, H, W], "
                f"got {x_CHW.dtype} {list(x_CHW.shape)}; use it with digits or an image data set"
            )
        y_CHW: Tensor = self.policy(x_CHW)
        return y_CHW
