"""ImageNet-200: 200 classes of ImageNet-1k."""

from pathlib import Path
from typing import Literal

from snnlab.data.files import ELSEWHERE
from snnlab.datasets.imagenet import ImageNet
from snnlab.ranges import Fraction, PositiveInt


class ImageNet200(ImageNet):
    """200 classes of ImageNet-1k in class folders, as the circulate-firing paper describes its ImageNet-200.

    That is "approximately 128,000 training images and 10,000 validation images" of varying size. Neither it nor MT-SNN
    says which classes, which images or at what size; both compare with results on Tiny-ImageNet, which is the data set
    `tiny_imagenet`. So the folder holds the 200 classes that you choose; they may be links to ImageNet's own folders.
    Size, cuts, mean and deviation are LM-HT's for 200 classes, with which both papers compare.

    Args:
        root: folder of all data sets.
        num_steps: unused, the image is shown at every step.
        image_size: height and width of the crops. Default: 64, as in LM-HT.
        resize: shorter side before the test crop, at least image_size.
        min_area: smallest part of a picture's area that a training crop may show; 1 shows all of it,
            but for the ends of pictures that are longer than 4 : 3.
        flip: probability of a horizontal flip while training.
        interpolation: of both crops: bilinear | bicubic.
        folder: folder under the data root, holding train/<class>/* and val/<class>/*.
        classes: number of class folders.
        broken: pictures that cannot be read: error | skip (left out and counted). With skip, all pictures are read
            once before the first run.

    Raises:
        ValueError: `resize` is smaller than `image_size`.
    """

    name = "imagenet200"
    mean = (0.480, 0.448, 0.398)
    std = (0.272, 0.266, 0.274)

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 64,
        resize: PositiveInt = 64,
        min_area: Fraction = 0.08,
        flip: Fraction = 0.5,
        interpolation: Literal["bilinear", "bicubic"] = "bilinear",
        folder: str = "imagenet200",
        classes: PositiveInt = 200,
        broken: Literal["error", "skip"] = "error",
    ) -> None:
        super().__init__(
            root,
            num_steps,
            image_size=image_size,
            resize=resize,
            min_area=min_area,
            flip=flip,
            interpolation=interpolation,
            folder=folder,
            classes=classes,
            broken=broken,
        )

    def how(self) -> str:
        return (
            "get ILSVRC 2012 from https://www.image-net.org/download.php and put 200 of its class folders, or links to "
            f"them, into {self.folder}/train/ and {self.folder}/val/; {ELSEWHERE}"
        )
