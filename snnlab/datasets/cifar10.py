"""CIFAR-10: small colour photographs in 10 classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from snnlab.data.cifar import CIFAR
from snnlab.ranges import PositiveInt

_STD = {"common": (0.2023, 0.1994, 0.2010), "exact": (0.2470, 0.2435, 0.2616)}


class CIFAR10(CIFAR):
    """CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32, 10 classes.

    Args:
        root: folder of all data sets; see `CIFAR` for where it is looked for.
        num_steps: unused, the image is shown at every step.
        image_size: height and width after bilinear resizing.
        normalize: common (std 0.2023, 0.1994, 0.2010) | exact (0.2470, 0.2435, 0.2616) | none (0 to 1). The
            common standard deviations are those of most code (TET, TMC, TWD, DS-ATGO), means over images, not
            of all pixels; the exact ones are Spikformer's.
        download: true: download the archive (170 MB) if it is missing.
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
        normalize: Literal["common", "exact", "none"] = "common",
        download: bool = False,
    ) -> None:
        super().__init__(root, image_size, download)
        if normalize != "none":
            self.mean = (0.4914, 0.4822, 0.4465)
            self.std = _STD[normalize]

    def _reader(self) -> Callable[..., Any]:
        from torchvision import datasets

        reader: Callable[..., Any] = datasets.CIFAR10
        return reader
