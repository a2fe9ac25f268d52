"""The interface of a data set: its shapes, its training and test samples, and the decoding of a batch.

Shapes: N samples, B batch, T time steps, C channels, H height, W width.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.empty import Empty
from snnlab.data.few_of_many import few_of_many
from snnlab.data.identity import DataFiles, DataIdentity
from snnlab.data.labels import absent_classes, described, refuse_labels
from snnlab.data.sample_sets import AlteredSet as AlteredSet
from snnlab.data.sample_sets import ArraySet as ArraySet
from snnlab.data.sample_sets import LoaderOp as LoaderOp
from snnlab.data.sample_sets import SampleSet as SampleSet
from snnlab.data.words import Words
from snnlab.errors import DataError
from snnlab.own_code import source_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """The location and completeness of a data set.

    Attributes:
        present: whether it can be used as it is.
        where: the folder that was found, or the one where it is expected.
        samples: number of samples found; `None` if unknown.
        expected: number of published samples.
        cache: folder of the integrated frames, and whether it is complete; `None` for images.
        note: one line for the user: what is missing and how to get it.
        damaged: it is there, and cannot be used.
    """

    present: bool
    where: Path | None
    samples: int | None = None
    expected: int | None = None
    cache: Path | None = None
    cached: bool = False
    note: str = ""
    damaged: bool = False


class LabelledData:
    """Base of all data sets: samples with a class, stored as small integers and decoded on the training device.

    Attributes:
        num_classes, class_names: the classes.
        in_channels: 2 for events (OFF, ON), 3 or 1 for images, 1 for text.
        image_size: height and width after decoding; images are square, and text has none.
        static: images without time, shown at every step.
        split_name: the named split, part of every result.
        mean, std: per channel, for normalisation after augmentation; `None` leaves values as they are.
        raw_shape: shape of one stored sample: [T, 2, H, W] for events, [C, H, W] for images, [1, L, 1] for L words.
        reads_words: samples are sentences, not images; then `words` describes the embedding before the network.
        reads_files: False for data that come with a package. A literal in the class, as it is read from its source.
        empty: what happens to recordings without events: `error`, or `skip`: they are left out.
        skipped: names of the recordings that were left out, as soon as the samples have been opened.
        mirror_changes_class: a mirrored sample may belong to another class, as for waving the left or right hand.
    """

    num_classes: int
    class_names: tuple[str, ...]
    in_channels: int
    image_size: int
    static: bool
    split_name: str
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    raw_shape: tuple[int, ...]
    reads_words: bool = False
    reads_files: ClassVar[bool] = True
    mirror_changes_class: bool = False
    empty: Empty = "error"
    skipped: tuple[str, ...] = ()
    _said: frozenset[str] = frozenset()
    _known_files: tuple[DataFiles | None] | None = None

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of the network's input at a time step; the width of a sentence is the embedding's size."""
        return self.image_size, self.image_size

    @property
    def words(self) -> Words | None:
        """The embedding before the network, for text; reads the data."""
        return None

    def made_up_words(self) -> Words | None:
        """The embedding for generated sentences; reads no data."""
        return None

    def made_up(self, count: int, first: int) -> SampleSet | None:
        """Generated samples, numbered from `first`, for data sets that cannot be imitated by images with a blob."""
        return None

    def train_set(self, ops: Sequence[LoaderOp] = ()) -> SampleSet:
        """The training samples; `ops` are applied to each in the loader, as uint8 [C, H, W]."""
        samples = self._checked(self._given("_train_set"), "training")
        return AlteredSet(samples, ops) if ops else samples

    def test_set(self) -> SampleSet:
        """The held-out samples."""
        return self._checked(self._given("_test_set"), "held-out")

    def decode(self, raw: Tensor) -> Tensor:
        """A stored batch, uint8 [B, T, 2, H, W] or [B, C, H, W], as float32 [B, T, C, H, W] on its device."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Prepares the data for training; does nothing if they are ready.

        Raises:
            DataError: files are missing.
        """
        raise NotImplementedError

    def look(self) -> None:
        """Looks for the data without preparing them; does nothing where archives, or a download, are still to come.

        Raises:
            DataError: what `prepare` would raise of files that are missing, or that are not those of the data set.
        """
        if not self.reads_files:
            return
        self.known_files()
        for part, labels in zip(("training", "held-out"), self.part_labels(), strict=True):
            refuse_labels(labels, self.num_classes, part)

    def read_some(self) -> None:
        """Reads a few samples of each class as a training does; nothing where they are still to be unpacked or fetched.

        Raises:
            DataError: what a training would raise of these samples.
        """
        try:
            self.known_files()
        except DataError:
            return
        if self.reads_files:
            for samples in (self._train_set(), self._test_set()):
                samples.batch(few_of_many(samples.labels))

    def data_files(self) -> DataFiles | None:
        """The files that are read, as they are now; None if there are none, or if the class does not say.

        Raises:
            DataError: they are missing, or still packed.
        """
        return None

    def known_files(self) -> DataFiles | None:
        """As `data_files`, which looks at every file, but asked once; `forget_files` asks again.

        Raises:
            DataError: they are missing, or still packed.
        """
        if self._known_files is None:
            self._known_files = (self.data_files(),)
        return self._known_files[0]

    def forget_files(self) -> None:
        """To be called where files are added, as from an archive."""
        self._known_files = None

    def preprocessing(self) -> str | None:
        """A name for the stored form of the prepared samples that differs with its parameters; None: there is none."""
        return None

    def identity(self, train: SampleSet | None = None, test: SampleSet | None = None) -> DataIdentity:
        """The identity of the prepared data.

        Args:
            train, test: both parts, if they are open already.

        Raises:
            DataError: files are missing.
        """
        files = self.known_files()
        parts = (train or self.train_set(), test or self.test_set())
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.positions().astype("<i8").tobytes() + part.labels.astype("<i8").tobytes())
        return DataIdentity(
            files=files.count if files else 0,
            bytes=files.size if files else 0,
            hash=files.hash if files else None,
            preprocessing=self.preprocessing(),
            split=self.split_name,
            split_hash=digest.hexdigest()[:16],
            train=len(parts[0]),
            test=len(parts[1]),
            skipped=len(self.skipped),
        )

    def status(self) -> Status:
        """Reports what is present without changing anything."""
        raise NotImplementedError

    def verify(self) -> list[str]:
        """Checks the stored files against their manifest; returns one line for each problem."""
        raise NotImplementedError

    def part_labels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The labels of the training and of the held-out samples, without making frames.

        Raises:
            DataError: files are missing or damaged, or do not fit the named split.
        """
        return self._given("_train_set").labels, self._given("_test_set").labels

    def contents(self) -> list[str]:
        """What is there, in lines for the user: files, samples of each part and of each class.

        Raises:
            DataError: a part is empty, its labels are not those of the classes, or what `part_labels` raises.
        """
        files = self.data_files()
        said = [f"{files.count:,} files of {files.size:,} bytes, hash {files.hash}"] if files else []
        for part, labels in zip(("training", "held-out"), self.part_labels(), strict=True):
            refuse_labels(labels, self.num_classes, part)
            said.append(described(labels, self.class_names, part))
        return said

    def _checked(self, samples: SampleSet, part: str) -> SampleSet:
        """Checks the labels of a set and returns it; says once which classes have no samples.

        Raises:
            DataError: it is empty, or a label is not a class of the data set.
        """
        refuse_labels(samples.labels, self.num_classes, part)
        absent = absent_classes(samples.labels, self.class_names)
        if absent and part not in self._said:
            self._said |= {part}
            _log.warning("no %s samples of %s", part, absent)
        return samples

    def _given(self, method: str) -> SampleSet:
        """What `_train_set` or `_test_set` returns.

        Raises:
            DataError: nothing, as where a class of one's own has forgotten its `return`.
        """
        samples: SampleSet | None = getattr(self, method)()
        if samples is None:
            raise DataError(
                f"{source_of(type(self))}.{method} returns nothing",
                "it is to return a SampleSet, such as ArraySet(samples, labels, positions)",
            )
        return samples

    def _train_set(self) -> SampleSet:
        raise NotImplementedError

    def _test_set(self) -> SampleSet:
        raise NotImplementedError


def resize(x_NCHW: Tensor, size: int) -> Tensor:
    """Bilinear resize with antialiasing to [N, C, size, size]; returns the input at equal size."""
    if x_NCHW.shape[-2:] == (size, size):
        return x_NCHW
    return torch.nn.functional.interpolate(
        x_NCHW, (size, size), mode="bilinear", antialias=True, align_corners=False
    )
