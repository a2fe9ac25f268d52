"""Images as files: opened, cut and flipped one at a time in the loader.

Shapes: C channels, H height, W width.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from snnlab.data.files import is_foreign
from snnlab.data.foreign import reading, reason
from snnlab.data.sample_sets import SampleSet
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
        return self.transform(self.opened(index)), int(self.labels[index])

    def opened(self, index: int) -> Picture:
        """The decoded RGB picture of this index.

        Raises:
            DataError: it cannot be read.
        """
        path = self.paths[index]
        with open_picture(path) as picture:
            return to_rgb(picture, path)


@contextmanager
def open_picture(path: Path | str) -> Iterator[Picture]:
    """An image file whose header has been read; what goes wrong with it in the block names it.

    Raises:
        DataError: it cannot be read, or has more pixels than Pillow opens.
    """
    from PIL import Image

    with reading(path):
        try:
            with Image.open(path) as picture:
                yield picture
        except Image.DecompressionBombError as error:
            raise DataError(
                f"{path} is not read: {reason(error)}", "make the picture smaller, or remove it"
            ) from error


def to_rgb(picture: Picture, path: str) -> Picture:
    """Converts an image to 8-bit RGB; 16-bit grey values are scaled by the range of their type.

    Raises:
        DataError: the image's type has no fixed range, such as float.
    """
    if picture.mode.startswith("I;16"):
        from PIL import Image

        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise DataError(
            f"{path}: a picture of the type '{picture.mode}' has no known range of values",
            "save it with 8 bits for each colour",
        )
    if picture.mode == "P" and isinstance(picture.info.get("transparency"), bytes):
        picture = picture.convert("RGBA")  # the same colours; Pillow warns of the direct way
    if picture.mode == "RGB":
        picture.load()  # convert would copy it
        return picture
    return picture.convert("RGB")


def pictures(folder: Path) -> list[str]:
    """The picture files below a class folder, sorted; hidden files, and hidden and foreign folders, are left out.

    Raises:
        DataError: a folder cannot be read.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS

    found: list[str] = []
    with reading(folder, "is the folder readable for you?"):
        for place, folders, names in os.walk(folder, onerror=_pass_on):
            folders[:] = [name for name in folders if not is_foreign(name)]
            found += [
                os.path.join(place, name)
                for name in names
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in IMG_EXTENSIONS
            ]
    return sorted(found)


@dataclass(frozen=True)
class Opened:
    """Index k gives what is wrong with picture k, or nothing."""

    paths: Sequence[str]

    def __call__(self, index: int) -> str:
        path = self.paths[index]
        try:
            with open_picture(path) as picture:
                # A JPEG is read to its end all the same, at an eighth of the size.
                picture.draft("RGB", (1, 1))
                to_rgb(picture, path)
        except DataError as error:
            return error.message
        return ""


def _pass_on(error: OSError) -> None:
    raise error
