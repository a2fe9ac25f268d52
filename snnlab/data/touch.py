"""Recordings of an event-based tactile sensor on a robot's finger, 39 taxels, as pixels on a square grid.

Shapes: N recordings, B batch, T frames, H height, W width.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.arrays import read_member, read_npy
from snnlab.data.dataset import LabelledData, Status
from snnlab.data.empty import Empty, settle_empty
from snnlab.data.files import missing
from snnlab.data.foreign import reading
from snnlab.data.identity import DataFiles
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.errors import ConfigError, DataError

TAXELS = 39
SIDE = 11
_FOLDERS = ("evtouch", "EvTouch", "")
_ADDRESS = "https://github.com/clear-nus/TactileSGNet"
_NAME = re.compile(r"(?:.*/)?(train|test)/sample_([0-9]{1,9})_label_([0-9]{1,9})\.npy")

# Positions in millimetres along and across the finger, in the order of the taxels (Gu et al. 2020).
_POSITIONS = (
    *((-6.0, 0.0), (-5.3, -3.0), (-5.3, 3.0), (-4.6, -7.8), (-4.6, 7.8), (-3.5, 0.0), (-3.05, -5.2)),
    *((-3.05, 5.2), (-3.1, -1.75), (-3.1, 1.75), (-1.6, -8.9), (-1.75, -3.0), (-1.6, 8.9), (-1.75, 3.0)),
    *((-1.5, 0.0), (-0.7, -1.3), (-0.7, 1.3), (0.0, -6.0), (0.0, 6.0), (0.0, -3.5), (0.0, 0.0), (0.0, 3.5)),
    *((0.8, -1.3), (0.8, 1.3), (1.6, -8.9), (1.6, 8.9), (1.5, 0.0), (1.75, 3.0), (1.75, -3.0), (3.05, -5.2)),
    *((3.1, 1.75), (3.05, 5.2), (3.1, -1.75), (3.6, 0.0), (4.6, -7.8), (4.6, 7.8), (5.3, -3.0), (5.3, 3.0)),
    (6.0, 0.0),
)


def pixels() -> NDArray[np.int64]:
    """Pixel of each taxel, as an index into the SIDE x SIDE grid [TAXELS]; no two taxels share one.

    The positions are scaled to the grid and rounded; 11 is the smallest side of a square on which they stay
    apart.
    """
    positions = np.array(_POSITIONS)
    low, high = positions.min(0), positions.max(0)
    row, column = np.rint((positions - low) / (high - low) * (SIDE - 1)).astype(np.int64).T
    flat: NDArray[np.int64] = row * SIDE + column
    return flat


@dataclass(frozen=True)
class _Place:
    """Where a data set was found: its zip as published, or the folder that was in it."""

    path: Path

    def read(self, hint: str) -> Iterator[tuple[re.Match[str], NDArray[Any]]]:
        """The parts of the name and the content of every recording, in arbitrary order; other files are left out.

        Raises:
            DataError: the zip or a recording is damaged.
        """
        if self.path.is_dir():
            for match in self._names():
                with reading(self.path / match[0], hint):
                    content = read_npy(self.path / match[0])
                yield match, content
            return
        with reading(self.path, hint):
            archive = zipfile.ZipFile(self.path)
        with archive:
            for match in _recordings(archive.namelist()):
                with reading(f"{self.path}: {match[0]}", hint):
                    content = read_member(archive, match[0])
                yield match, content

    def count(self) -> int:
        """Number of recordings.

        Raises:
            DataError: the zip is damaged.
        """
        with reading(self.path):
            if self.path.is_dir():
                return len(self._names())
            with zipfile.ZipFile(self.path) as archive:
                return len(_recordings(archive.namelist()))

    def recordings(self) -> list[Path]:
        """The files of a folder."""
        return [self.path / match[0] for match in self._names()]

    def _names(self) -> list[re.Match[str]]:
        files = (file for file in self.path.glob("*/sample_*.npy") if file.is_file())
        return _recordings(file.relative_to(self.path).as_posix() for file in files)


def _recordings(names: Iterable[str]) -> list[re.Match[str]]:
    return [match for name in names if (match := _NAME.fullmatch(name))]


class TouchData(LabelledData):
    """Base of the EvTouch sets: taxels as pixels, time steps summed into frames of equal length.

    The published recordings have 0 or 1 for each taxel, polarity and step. A frame adds up ceil(native_steps /
    num_steps) of them; the last one may be shorter. The 39 taxels keep their positions on the finger, on 11 x 11
    pixels, so image models apply. Channels are the polarities in the published order.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording, at most `native_steps`.
        values: content of a frame: counts, or whether there was any spike.
        split_name: the named split.
        empty: recordings without a spike: an `error`, or `skip`.

    Raises:
        ConfigError: there are fewer steps than frames, or so many frames that the last ones would be empty.
    """

    name: ClassVar[str]
    archive: ClassVar[str]
    native_steps: ClassVar[int]
    parts: ClassVar[tuple[int, int]]
    """Published number of recordings to train and to test."""
    in_channels = 2
    image_size = SIDE
    static = False

    def __init__(
        self,
        root: Path,
        num_steps: int,
        values: Literal["counts", "binary"],
        split_name: str,
        empty: Empty = "error",
    ) -> None:
        self.root = Path(root)
        self.values = values
        self.split_name = split_name
        self.empty = empty
        self.num_classes = len(self.class_names)
        self.num_steps = num_steps
        self.bin = -(-self.native_steps // num_steps)
        filled = -(-self.native_steps // self.bin)
        if filled != num_steps:
            more = "" if self.bin == 1 else f" and {-(-self.native_steps // (self.bin - 1))}"
            raise ConfigError(
                f"num_steps: the {self.native_steps} steps of {self.name} do not fill {num_steps} frames",
                f"the next that work are {filled}{more}; num_steps={self.native_steps} is as recorded",
            )
        self.raw_shape = (num_steps, 2, SIDE, SIDE)

    def decode(self, raw: Tensor) -> Tensor:
        return raw.to(torch.float32)

    def _train_set(self) -> SampleSet:
        return self._sets["train"]

    def _test_set(self) -> SampleSet:
        return self._sets["test"]

    def data_files(self) -> DataFiles:
        place = self._find()
        if place is None:
            raise self._missing()
        inside = place.path.is_dir()
        return DataFiles.at(
            place.path if inside else place.path.parent, place.recordings() if inside else [place.path]
        )

    def prepare(self) -> None:
        self._sets  # noqa: B018  # reads them

    def status(self) -> Status:
        expected = sum(self.parts)
        place = self._find()
        if place is None:
            return Status(False, None, None, expected, note=self._missing().hint)
        try:
            count = place.count()
        except DataError:
            note = f"{place.path} is damaged: get it again"
            return Status(False, place.path, None, expected, note=note, damaged=True)
        note = "" if count == expected else f"a part, {count} of {expected} published recordings"
        return Status(count > 0, place.path, count, expected, note=note)

    def verify(self) -> list[str]:
        try:
            sets = self._sets
        except DataError as error:
            return [error.message]
        found = [len(sets["train"]), len(sets["test"])]
        return (
            []
            if found == list(self.parts)
            else [
                f"{found[0]} + {found[1]} recordings to train and test, published are {self.parts[0]} + {self.parts[1]}"
            ]
        )

    @cached_property
    def _sets(self) -> dict[str, ArraySet]:
        """Both parts, in memory: 250 steps of 720 recordings are 44 MB.

        Raises:
            DataError: the recordings are missing, or a file is not such a recording.
        """
        place = self._find()
        if place is None:
            raise self._missing()
        found: dict[str, list[tuple[int, int, NDArray[np.uint8]]]] = {"train": [], "test": []}
        names: dict[tuple[str, int], str] = {}
        for match, content in place.read(f"get it again from {_ADDRESS}"):
            number, label = int(match[2]), int(match[3])
            if (match[1], number) in names:
                both = f"{names[match[1], number]} and {match[0]}"
                raise DataError(
                    f"dataset {self.name}: {place.path} holds {match[1]} recording {number} twice, {both}",
                    "remove the one that does not belong",
                )
            names[match[1], number] = match[0]
            found[match[1]].append((number, label, self._frames(match[0], label, content)))
        self.skipped = tuple(
            names[part, number] for part in found for number, _, frames in found[part] if not frames.any()
        )
        settle_empty(self.name, f"no spike, in {place.path}", self.skipped, self.empty)
        found = {part: [one for one in samples if one[2].any()] for part, samples in found.items()}
        for part, samples in found.items():
            if not samples:
                raise DataError(
                    f"dataset {self.name}: {place.path} holds no {part}/sample_<n>_label_<k>.npy",
                    f"get it again from {_ADDRESS}",
                )
        return {part: _by_number(samples) for part, samples in found.items()}

    def _frames(self, name: str, label: int, content: NDArray[Any]) -> NDArray[np.uint8]:
        """Frames [T, 2, H, W] of one recording [TAXELS, 2, native_steps]."""
        shape = (TAXELS, 2, self.native_steps)
        if content.shape != shape or not np.isin(content, (0, 1)).all() or label >= self.num_classes:
            raise DataError(
                f"dataset {self.name}: {name} is no recording of zeros and ones of shape {list(shape)} of one of "
                f"{self.num_classes} classes",
                f"get it again from {_ADDRESS}",
            )
        missing_steps = self.bin * self.num_steps - self.native_steps
        padded = np.pad(content.astype(np.uint8), ((0, 0), (0, 0), (0, missing_steps)))
        counts = padded.reshape(TAXELS, 2, self.num_steps, self.bin)
        binned = counts.max(-1) if self.values == "binary" else counts.sum(-1).clip(max=255)
        frames = np.zeros((self.num_steps, 2, SIDE * SIDE), np.uint8)
        frames[:, :, pixels()] = binned.transpose(2, 1, 0)
        return frames.reshape(self.raw_shape)

    def _find(self) -> _Place | None:
        for folder in _FOLDERS:
            for path in (self.root / folder / self.archive, self.root / folder / Path(self.archive).stem):
                if path.exists():
                    return _Place(path)
        return None

    def _missing(self) -> DataError:
        return missing(self.root, self.name, _FOLDERS[0], self.archive, _ADDRESS)


def _by_number(samples: list[tuple[int, int, NDArray[np.uint8]]]) -> ArraySet:
    samples.sort(key=lambda sample: sample[:2])
    labels = np.array([label for _, label, _ in samples], np.int64)
    return ArraySet(np.stack([frames for *_, frames in samples]), labels)
