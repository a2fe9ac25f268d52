"""CIFAR-100: small colour photographs in 100 classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from snnlab.data.cifar import CIFAR
from snnlab.ranges import PositiveInt

_NAMES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard
    lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
    pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal
    shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
    telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_MEAN_STD = {
    "exact": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


class CIFAR100(CIFAR):
    """CIFAR-100 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32, 100 classes.

    Args:
        root: folder of all data sets; see `CIFAR` for where it is looked for.
        num_steps: unused, the image is shown at every step.
        image_size: height and width after bilinear resizing.
        normalize: exact (this set's own) | cifar10 (mean and std of CIFAR-10) | none (0 to 1). TET, TMC and
            TWD have the first; Spikingformer and QKFormer the second.
        download: true: download the archive (169 MB) if it is missing.
        split: published | first15 | first100 (that many training images of each class, all test images). They are the
            first ones in the stored order: 1,500 and 10,000 images, which a network soon knows by heart.
    """

    name = "cifar100"
    folder = "cifar-100-python"
    archive = "cifar-100-python.tar.gz"
    num_classes = 100
    class_names = tuple(_NAMES.split())

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 32,
        normalize: Literal["exact", "cifar10", "none"] = "exact",
        download: bool = False,
        split: Literal["published", "first15", "first100"] = "published",
    ) -> None:
        super().__init__(root, image_size, download, split)
        if normalize != "none":
            self.mean, self.std = _MEAN_STD[normalize]

    def _reader(self) -> Callable[..., Any]:
        from torchvision import datasets

        reader: Callable[..., Any] = datasets.CIFAR100
        return reader
