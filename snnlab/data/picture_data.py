"""Base of the data sets of picture files, which are decoded, cut and mirrored while they are read.

Shapes: H height, W width.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from torch import Tensor

from snnlab.config.quoting import on_shell
from snnlab.data.dataset import Status
from snnlab.data.empty import settle_empty
from snnlab.data.file_check import unreadable
from snnlab.data.files import NotThereError
from snnlab.data.identity import DataFiles
from snnlab.data.image_data import ImageData
from snnlab.data.image_files import ImageFiles, Opened, Picture
from snnlab.data.sample_sets import SampleSet
from snnlab.data.whole_files import whole_files
from snnlab.errors import DataError

Part = Literal["train", "val"]
PARTS: tuple[Part, Part] = ("train", "val")
Listing = dict[str, list[str]]
"""The paths of the pictures of each class, by the class's name, both sorted."""


class PictureData(ImageData):
    """A data set of picture files in two published parts.

    Training pictures are cut by RandomResizedCrop and mirrored at random in the loader; test pictures are resized by
    their shorter side and cut from the middle. A subclass lists the pictures of a part (`list_part`).

    Args:
        root: folder of all data sets.
        folder: of this data set.
        classes: number of classes.
        image_size: height and width of the crops.
        resize: shorter side before the test crop.
        min_area: smallest part of a picture's area that a training crop may show.
        flip: probability of a horizontal flip while training.
        interpolation: of both crops.
        broken: pictures that cannot be read: an `error` when one is reached, or `skip`: all are read once beforehand,
            and the broken ones are left out, named and counted.
        split: what the two parts are called together.

    Raises:
        ValueError: `resize` is smaller than `image_size`.
    """

    name: ClassVar[str]
    in_channels = 3

    def __init__(
        self,
        root: Path,
        folder: Path,
        classes: int,
        image_size: int,
        resize: int,
        min_area: float,
        flip: float,
        interpolation: str,
        broken: Literal["error", "skip"],
        split: str = "published",
    ) -> None:
        super().__init__(root, image_size, split)
        if resize < image_size:
            raise ValueError(f"dataset.resize={resize} is smaller than dataset.image_size={image_size}")
        self.resize, self.min_area, self.flip = resize, min_area, flip
        self.interpolation = interpolation
        self.broken = broken
        self.folder = folder
        self.num_classes = classes
        self.raw_shape = (3, image_size, image_size)
        self._listed: dict[Part, Listing] = {}
        self._samples: dict[Part, list[tuple[str, int]]] = {}

    def list_part(self, part: Part) -> Listing:
        """Lists a part.

        Raises:
            NotThereError: it is not there; the hint says how to get it.
            DataError: it is there, and cannot be read.
        """
        raise NotImplementedError

    def how(self) -> str:
        """How to get the data set."""
        raise NotImplementedError

    def listing(self, part: Part) -> Listing:
        """As `list_part`, but looks once."""
        if part not in self._listed:
            self._listed[part] = self.list_part(part)
        return self._listed[part]

    def missing(self, place: Path, what: str) -> NotThereError:
        """The error for a part that is not there."""
        return NotThereError(f"dataset {self.name}: no {what} in {place}", self.how())

    def data_files(self) -> DataFiles:
        listed = [self.listing(part) for part in PARTS]
        files = (Path(path) for one in listed for paths in one.values() for path in paths)
        # A link to a picture that is gone is a broken one, too.
        return DataFiles.at(self.folder, (file for file in files if self.broken == "error" or file.exists()))

    def status(self) -> Status:
        try:
            for part in PARTS:
                self.listing(part)
        except NotThereError as error:
            return Status(False, self.folder, note=error.hint)
        except DataError as error:
            return Status(False, self.folder, note=f"{error.message}; {error.hint}", damaged=True)
        return Status(True, self.folder)

    def verify(self) -> list[str]:
        found = super().verify()
        if found:
            return found
        paths = [path for part in PARTS for path, _ in self._labelled(part)]
        return unreadable(Opened(paths), len(paths), self.folder.name)

    def _train_set(self) -> SampleSet:
        return ImageFiles(self._readable("train"), self._train_transform())

    def _test_set(self) -> SampleSet:
        return ImageFiles(self._readable("val"), self._test_transform())

    def _readable(self, part: Part) -> list[tuple[str, int]]:
        if part not in self._samples:
            files = self._labelled(part)
            if self.broken == "skip":
                files, skipped = whole_files(files, self.root, self.folder, self.name, part)
                settle_empty(self.name, "cannot be read", skipped, "skip")
                self.skipped += tuple(skipped)
            self._samples[part] = files
        return self._samples[part]

    def _labelled(self, part: Part) -> list[tuple[str, int]]:
        """Paths and labels of a part.

        Raises:
            DataError: another number of classes, other classes in both parts, or a class without a picture.
        """
        listed = self.listing(part)
        if len(listed) != self.num_classes:
            raise DataError(
                f"dataset {self.name}: {len(listed)} class folders in {self.folder / part}, "
                f"but dataset.classes={self.num_classes}",
                f"for pictures of your own: dataset=image_folder {on_shell('dataset.folder', self.folder)}; "
                f"for another data set in this layout and as large: dataset.classes={len(listed)}",
            )
        others = set(listed).symmetric_difference(self.listing("train"))
        if others:
            raise DataError(
                f"dataset {self.name}: {self.folder / 'train'} and {self.folder / part} do not hold the same classes: "
                f"{', '.join(sorted(others)[:4])} {'are' if len(others) > 1 else 'is'} in one of them only",
                "a class's number follows from the names of all folders, so train and val need the same ones",
            )
        for name, paths in listed.items():
            if not paths:
                raise DataError(
                    f"dataset {self.name}: no picture of {name} in {self.folder / part}", self.how()
                )
        return [(path, label) for label, paths in enumerate(listed.values()) for path in paths]

    def _train_transform(self) -> Callable[[Picture], Tensor]:
        from torchvision import transforms

        cut = transforms.RandomResizedCrop(
            self.image_size, scale=(self.min_area, 1.0), interpolation=self._interpolation()
        )
        return _composed([cut, transforms.RandomHorizontalFlip(self.flip), transforms.PILToTensor()])

    def _test_transform(self) -> Callable[[Picture], Tensor]:
        from torchvision import transforms

        resize = transforms.Resize(self.resize, interpolation=self._interpolation())
        return _composed([resize, transforms.CenterCrop(self.image_size), transforms.PILToTensor()])

    def _interpolation(self) -> object:
        from torchvision.transforms import InterpolationMode

        return InterpolationMode(self.interpolation)


def _composed(steps: Sequence[Callable[[Picture], Picture]]) -> Callable[[Picture], Tensor]:
    from torchvision import transforms

    composed: Callable[[Picture], Tensor] = transforms.Compose(steps)
    return composed
