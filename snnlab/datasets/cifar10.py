"""CIFAR-10: small colour photographs in 10 classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from snnlab.data.cifar import CIFAR
from snnlab.ranges import PositiveInt

_MEAN = (0.4914, 0.4822, 0.4465)
_MEAN_STD = {
    "common": (_MEAN, (0.2023, 0.1994, 0.2010)),
    "exact": (_MEAN, (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
}


class CIFAR10(CIFAR):
    """CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32, 10 classes.

    Args:
        root: folder of all data sets; see `CIFAR` for where it is looked for.
        num_steps: unused, the image is shown at every step.
        image_size: height and width after bilinear resizing.
        normalize: common (std .2023, .1994, .2010) | exact (.2470, .2435, .2616) | cifar100 | none (0 to 1). The
            common standard deviations are those of most code (TET, TMC, TWD, DS-ATGO), means over images, not
            of all pixels; the exact ones are Spikformer's. TAB has mean and deviation of CIFAR-100 for both sets.
        download: true: download the archive (170 MB) if it is missing.
        split: published | first150 | first1000 (that many training images of each class, all test images). They are the
            first ones in the stored order: 1,500 and 10,000 images, which a network soon knows by heart.
    """

    name = "cifar10"
    folder = "cifar-10-batches-py"
    archive = "cifar-10-python.tar.gz"
    num_classes = 10
    class_names = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 32,
        normalize: Literal["common", "exact", "cifar100", "none"] = "common",
        download: bool = False,
        split: Literal["published", "first150", "first1000"] = "published",
    ) -> None:
        super().__init__(root, image_size, download, split)
        if normalize != "none":
            self.mean, self.std = _MEAN_STD[normalize]

    def _reader(self) -> Callable[..., Any]:
        from torchvision import datasets

        reader: Callable[..., Any] = datasets.CIFAR10
        return reader
