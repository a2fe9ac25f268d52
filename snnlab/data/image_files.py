"""Images as files: opened, cut and flipped one at a time in the loader.

Shapes: C channels, H height, W width.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from snnlab.data.dataset import SampleSet
from snnlab.errors import DataError

Picture = Any
"""A PIL image."""


class ImageFiles(SampleSet):
    """Image files and their classes.

    Args:
        files: paths and labels.
        transform: from an RGB picture to uint8 [3, H, W]; may draw from torch's default generator.
    """

    def __init__(self, files: Sequence[tuple[str, int]], transform: Callable[[Picture], Tensor]) -> None:
        self.paths = [path for path, _ in files]
        self.labels = np.array([label for _, label in files], np.int64)
        self.transform = transform

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image, UnidentifiedImageError

        path = self.paths[index]
        try:
            with Image.open(path) as picture:
                rgb = picture.convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{path} cannot be read: {error}", "download or unpack it again") from error
        return self.transform(rgb), int(self.labels[index])


def scan(folder: Path) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Class names and files of a folder of class folders, sorted, as torchvision's ImageFolder finds them."""
    from torchvision.datasets import ImageFolder

    found = ImageFolder(str(folder))
    return tuple(found.classes), found.samples
