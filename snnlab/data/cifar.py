"""CIFAR-10 and CIFAR-100 as torchvision reads them, in memory.

Shapes: N images, C channels, H height, W width.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snnlab.data.archives import unpack_archives
from snnlab.data.dataset import Status
from snnlab.data.files import ELSEWHERE
from snnlab.data.foreign import reading
from snnlab.data.identity import DataFiles
from snnlab.data.image_data import ImageData
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.errors import DataError


class CIFAR(ImageData):
    """Base of both sets: 50,000 training and 10,000 test images of 32 x 32 in colour.

    Searched for in `<root>/<name>` and in `<root>` as the published folder of Python pickles, whose MD5 sums are
    checked before it is opened; the archive is unpacked there.

    Args:
        root: folder of all data sets.
        image_size: height and width after bilinear resizing.
        download: fetches the archive if it is missing.
        split: published, or firstN: the first N training images of each class in the stored order, and all test
            images.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    archive: ClassVar[str]
    in_channels = 3
    raw_shape = (3, 32, 32)

    def __init__(self, root: Path, image_size: int, download: bool, split: str) -> None:
        super().__init__(root, image_size, split)
        self.download = download
        self._sets: dict[bool, ArraySet] = {}

    def _reader(self) -> Any:
        """torchvision's class."""
        raise NotImplementedError

    def _train_set(self) -> SampleSet:
        return self._part(train=True)

    def _test_set(self) -> SampleSet:
        return self._part(train=False)

    def look(self) -> None:
        place = self._place()
        if not (place / self.folder).is_dir() and (self.download or (place / self.archive).is_file()):
            return
        super().look()

    def data_files(self) -> DataFiles:
        folder = self._place() / self.folder
        if not folder.is_dir():
            raise DataError(f"dataset {self.name}: nothing at {folder}", self._how())
        reader = self._reader()
        names = [name for name, _ in (*reader.train_list, *reader.test_list)]
        return DataFiles.at(folder, [folder / name for name in names if (folder / name).is_file()])

    def status(self) -> Status:
        where = self._place()
        present = (where / self.folder).is_dir()
        return Status(
            present, where, 60_000 if present else None, 60_000, note="" if present else self._how()
        )

    def _part(self, train: bool) -> ArraySet:
        if train not in self._sets:
            self._sets[train] = self._read(train)
        return self._sets[train]

    def _read(self, train: bool) -> ArraySet:
        place = self._place()
        if not (place / self.folder).is_dir():
            unpack_archives(place, (self.archive,))
        if not (place / self.folder).is_dir() and not self.download:
            raise DataError(f"dataset {self.name}: nothing at {place / self.folder}", self._how())
        what = f"dataset {self.name}: {place / self.folder}"
        with reading(what, f"remove that folder; then {self._how()}", "is incomplete or damaged"):
            found = self._reader()(str(place), train=train, download=self.download)
        images_NCHW = np.ascontiguousarray(found.data.transpose(0, 3, 1, 2))
        labels = np.asarray(found.targets, np.int64)
        if train and self.split_name != "published":
            return ArraySet(images_NCHW, labels, self._first_of_each_class(labels, what))
        return ArraySet(images_NCHW, labels)

    def _first_of_each_class(self, labels: NDArray[np.int64], what: str) -> NDArray[np.int64]:
        count = int(self.split_name.removeprefix("first"))
        least = int(np.bincount(labels, minlength=self.num_classes).min())
        if least < count:
            raise DataError(
                f"{what}: split {self.split_name} takes {count} training images of each class, and one has {least}",
                "complete the data set, or choose dataset.split=published",
            )
        return np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(self.num_classes)]))

    def _place(self) -> Path:
        return next(
            (
                place
                for place in (self.root / self.name, self.root)
                if (place / self.folder).is_dir() or (place / self.archive).is_file()
            ),
            self.root / self.name,
        )

    def _how(self) -> str:
        return (
            f"snnlab data prepare {self.name} dataset.download=true, or put "
            f"https://www.cs.toronto.edu/~kriz/{self.archive} into {self.root / self.name}; "
            f"{ELSEWHERE}"
        )
