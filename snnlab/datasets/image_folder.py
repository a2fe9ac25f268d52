"""A folder of one's own pictures."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.config.quoting import on_shell
from snnlab.data.cache import FrameCache, build_cache, cache_folder, check_cache, files_hash, open_cache
from snnlab.data.dataset import Status
from snnlab.data.few_of_many import few_recordings
from snnlab.data.file_check import changed, made_of, reading_workers, unreadable
from snnlab.data.files import NotThereError, Recording
from snnlab.data.frame_file import FrameFile
from snnlab.data.identity import DataFiles
from snnlab.data.image_data import ImageData
from snnlab.data.own_folder import OwnFolder
from snnlab.data.own_pictures import Common, common, read_picture, statistics
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.data.splits import refuse_empty_sides
from snnlab.errors import ConfigError, DataError
from snnlab.ranges import NonNegativeInt, OpenFraction, PositiveInt, Unhashed

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_LARGEST = 256
_UNKNOWN = Common(32, False)


class ImageFolder(ImageData):
    """Pictures of one's own in class folders, DIR/<class>/* or DIR/train/<class>/* and DIR/test/<class>/*.

    Each picture is scaled until its shorter side is `image_size`, cut from the middle and kept as bytes in a cache
    below the data root, which is made once. Results are labelled with the folder's name.

    Args:
        root: folder of all data sets, for the cache.
        num_steps: unused, the picture is shown at every step.
        folder: the folder with the class folders; relative to the current one.
        split: auto (folders, where both are) | folders (train/ against test/ or val/) | fraction (of every class).
            With test/ and val/, test/ is held out and val/ is left out.
        fraction: of every class for training, where the split is by fraction.
        split_seed: of the choice of that fraction; not the run's seed.
        image_size: height and width; null: the shorter side that most pictures have, up to 256.
        colour: auto (grey if no picture has colours) | grey (1 channel) | rgb (3 channels).
        normalize: measured (mean and deviation of the training pictures, measured once) | none (0 to 1).

    Raises:
        ConfigError: the split does not fit the folder, or most pictures are larger than 256 and no size is given.
    """

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        folder: Unhashed[Path | None] = None,
        split: Literal["auto", "folders", "fraction"] = "auto",
        fraction: OpenFraction = 0.8,
        split_seed: NonNegativeInt = 0,
        image_size: PositiveInt | None = None,
        colour: Literal["auto", "grey", "rgb"] = "auto",
        normalize: Literal["measured", "none"] = "measured",
    ) -> None:
        self.own = OwnFolder("image_folder", folder, _ENDINGS, split, fraction, split_seed)
        self.class_names = self.own.classes
        self.num_classes = len(self.class_names)
        self.normalize = normalize
        super().__init__(root, 1, self.own.split_name)
        known = self._common() if self.own.there and (image_size is None or colour == "auto") else _UNKNOWN
        if image_size is None and known.side > _LARGEST:
            raise ConfigError(
                f"dataset.image_size: most pictures in {self.own.path} have a shorter side of {known.side} pixels",
                "a network needs its input smaller, for example dataset.image_size=64",
            )
        self.image_size = known.side if image_size is None else image_size
        self.in_channels = 1 if colour == "grey" or (colour == "auto" and known.grey) else 3
        self.raw_shape = (self.in_channels, self.image_size, self.image_size)
        self._open: FrameCache | None = None

    def pictures(self) -> FrameCache:
        """The cache of all pictures, uint8 [N, 1, C, S, S]; it is made if there is none for these files.

        Raises:
            DataError: pictures are missing or damaged.
        """
        if self._open is None:
            self._open = self._build()
            if self.normalize == "measured":
                index = self._sides(self._open.names, self._open.labels)[0]
                self.mean, self.std = statistics(self._open.frames, index, self._open.folder)
        return self._open

    def prepare(self) -> None:
        self.pictures()

    def read_some(self) -> None:
        try:
            found = self.own.find()
        except DataError:
            return
        cache = open_cache(self._folder())
        if cache is not None and not changed(cache, found, _stamps(found)):
            return
        if (error := self._all_broken([found[i] for i in few_recordings(found)])) is not None:
            raise error

    def data_files(self) -> DataFiles:
        return self._files_of(self.own.find())

    def preprocessing(self) -> str:
        return self._folder().name

    def status(self) -> Status:
        folder = self._folder()
        try:
            found = self.own.find()
        except NotThereError as error:
            return Status(False, self.own.path, cache=folder, note=error.hint)
        except DataError as error:
            note = f"{error.message}; {error.hint}"
            return Status(False, self.own.path, cache=folder, note=note, damaged=True)
        return Status(True, self.own.path, len(found), None, folder, open_cache(folder) is not None)

    def verify(self) -> list[str]:
        found = self.own.find()
        cache = open_cache(self._folder())
        problems = [] if cache is None else check_cache(cache.folder)
        if cache is not None and not problems and not changed(cache, found, _stamps(found)):
            return []
        return problems + unreadable(partial(self._problem, found), len(found), self.own.name)

    def part_labels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        found = self.own.find()
        labels = np.array([one.label for one in found], np.int64)
        train, test = self._sides([one.name for one in found], labels)
        return labels[train], labels[test]

    def contents(self) -> list[str]:
        cache = open_cache(self._folder())
        return super().contents() + ([] if cache is None else [made_of(cache, True)])

    def _train_set(self) -> SampleSet:
        return self._part(0)

    def _test_set(self) -> SampleSet:
        return self._part(1)

    def _part(self, side: int) -> SampleSet:
        cache = self.pictures()
        index = self._sides(cache.names, cache.labels)[side]
        return ArraySet(_Stills(cache.frames), cache.labels, index)

    def _sides(
        self, names: Sequence[str], labels: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        split = self.own.sides(names, labels)
        refuse_empty_sides(split, f"dataset {self.own.name}: split '{self.split_name}'", len(names))
        return split.train, split.test

    def _parameters(self) -> dict[str, object]:
        return {"dataset": self.own.name, "shape": list(self.raw_shape), "pictures": 1}

    def _folder(self) -> Path:
        return cache_folder(self.own.cache_parent(self.root), self._parameters())

    def _build(self) -> FrameCache:
        found = self.own.find()
        stamps, labels = _stamps(found), [one.label for one in found]
        cache = open_cache(self._folder())
        if cache is not None and cache.is_of(files_hash(stamps), labels):
            return cache
        try:
            return build_cache(
                self._folder(),
                [one.name for one in found],
                stamps,
                labels,
                (1, *self.raw_shape),
                partial(self._read, found),
                self._parameters(),
                vars(self._files_of(found)),
                reading_workers(len(found)),
            )
        except DataError as error:
            raise self._all_broken(found) or error from error

    def _all_broken(self, found: Sequence[Recording]) -> DataError | None:
        """One error about all pictures that cannot be read, so that nobody meets them one after another."""
        problems = unreadable(partial(self._problem, found), len(found), self.own.name)
        if not problems:
            return None
        more = (
            f"; {len(problems) - 1} more of {len(found):,} files cannot be read" if len(problems) > 1 else ""
        )
        folder = on_shell("dataset.folder", str(self.own.path))
        names = f"; snnlab data verify image_folder {folder} names all" if more else ""
        return DataError(f"{problems[0]}{more}", f"correct or remove what is no picture{names}")

    def _read(self, found: Sequence[Recording], indices: Sequence[int]) -> NDArray[np.uint8]:
        pictures = [read_picture(found[i].path, self.image_size, self.in_channels) for i in indices]
        return np.stack(pictures)[:, None]

    def _problem(self, found: Sequence[Recording], index: int) -> str:
        try:
            self._read(found, [index])
        except DataError as error:
            return error.message
        return ""

    def _common(self) -> Common:
        found = self.own.find()
        stored = self.own.cache_parent(self.root) / "pictures.json"
        return common(found, files_hash(_stamps(found)), stored)

    def _files_of(self, found: Sequence[Recording]) -> DataFiles:
        return DataFiles.of((one.name, one.path.stat().st_size) for one in found)


class _Stills:
    """Pictures [N, C, S, S] of a cache that holds them as recordings of one step."""

    def __init__(self, frames: FrameFile) -> None:
        self.frames = frames

    def __getitem__(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.frames[index][:, 0]


def _stamps(found: Sequence[Recording]) -> list[str]:
    return [one.stamp for one in found]
