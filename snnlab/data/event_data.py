"""Base of the event data sets: recordings are integrated once, cached, and decoded on the training device.

Shapes: N recordings, B batch, T frames, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.archives import packed
from snnlab.data.cache import FrameCache, build_cache, cache_folder, check_cache, open_cache
from snnlab.data.dataset import LabelledData, Status, resize
from snnlab.data.empty import Empty, settle_empty
from snnlab.data.file_check import changed, made_of, reading_workers, unreadable
from snnlab.data.files import Layout, NotThereError, Recording
from snnlab.data.frames import Events, Framing, Scale, frames_to_float
from snnlab.data.identity import DataFiles
from snnlab.data.integration import Integration
from snnlab.data.pil_la import resize_la
from snnlab.data.places import cache_parent
from snnlab.data.readers import read_recording
from snnlab.data.recordings_status import recordings_status
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.data.splits import Split, refuse_empty_sides
from snnlab.data.without_effect import refuse_without_effect
from snnlab.errors import DataError

Resizing = Literal["bilinear", "pil_la"]


class EventData(LabelledData):
    """A data set of event recordings.

    A subclass defines its classes and sensor size, where recordings are (`layout`, or `find`) and how they are
    split (`split`). Recordings are sorted by part, class and number, independent of the file system.

    Args:
        root: folder of all data sets.
        framing: how events become frames.
        scale: scaling of the counts, see `frames_to_float`.
        image_size: decoded height and width.
        split_name: the named split.
        empty: recordings with fewer events than steps: an `error`, or `skip`.
        resize: `bilinear` (antialiased) for both channels, or `pil_la`, see `resize_la`.

    Raises:
        ValueError: `pil_la` with frames that may hold more than 1, or a key of the framing that `by` leaves without
            effect.
    """

    name: str
    sensor: tuple[int, int]
    layout: Layout
    expected: int | None = None
    in_channels = 2
    static = False

    def __init__(
        self,
        root: Path,
        framing: Framing,
        scale: Scale,
        image_size: int,
        split_name: str,
        empty: Empty = "error",
        resize: Resizing = "bilinear",
    ) -> None:
        if resize == "pil_la" and scale == "counts" and framing.values == "counts":
            raise ValueError(
                "dataset.resize=pil_la makes pictures of frames from 0 to 1; dataset.scale=max or clip, or "
                "dataset.values=binary, makes frames such"
            )
        refuse_without_effect(
            type(self),
            {"by": framing.by, "duration_ms": framing.duration_ms, "tail": framing.tail},
            {"duration_ms": ("by", "duration"), "tail": ("by", "number")},
        )
        self.root = Path(root)
        self.framing = framing
        self.scale = scale
        self.image_size = image_size
        self.split_name = split_name
        self.empty = empty
        self.resizing = resize
        self.num_classes = len(self.class_names)
        self.raw_shape = (framing.num_steps, 2, *self.sensor)
        self._open: FrameCache | None = None
        self._looked_at: list[str] = []

    def find(self) -> list[Recording]:
        """All recordings, sorted by part, class and number.

        Raises:
            DataError: there are none; the hint says how to get them.
        """
        return self.layout.find(self.root, self.name)

    def read(self, recordings: Sequence[Recording]) -> list[Events]:
        """The events of some recordings.

        Raises:
            DataError: a file is damaged.
        """
        return [read_recording(recording.path) for recording in recordings]

    def stamps(self, recordings: Sequence[Recording]) -> list[str]:
        """Name, size and modification time of each recording; a changed one makes the cache outdated."""
        return [recording.stamp for recording in recordings]

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        """The training and held-out recordings of the named split.

        Raises:
            DataError: the named split does not fit these recordings.
        """
        raise NotImplementedError

    def parameters(self) -> dict[str, object]:
        """Everything that the frames depend on, besides the recordings."""
        skipping = {"empty": self.empty} if self.empty == "skip" else {}
        return {"dataset": self.name, "sensor": list(self.sensor), **self.framing.parameters(), **skipping}

    def find_or_unpack(self) -> list[Recording]:
        """Finds the recordings after unpacking archives, where recordings are missing."""
        return self.layout.find_or_unpack(self.root, self.name)

    def is_packed(self) -> bool:
        """Whether there are archives that `find_or_unpack` would unpack."""
        layout = getattr(self, "layout", None)  # those that find their recordings otherwise have none
        return layout is not None and any(
            packed(self.root / folder, layout.archives) for folder in layout.folders
        )

    def decode(self, raw: Tensor) -> Tensor:
        x_BTCHW = frames_to_float(raw, self.scale)
        resized_by = resize_la if self.resizing == "pil_la" else resize
        resized = resized_by(x_BTCHW.flatten(0, 1), self.image_size)
        return resized.reshape(*x_BTCHW.shape[:3], self.image_size, self.image_size)

    def frames(self) -> FrameCache:
        """The integrated frames; builds the cache if there is none for these files."""
        if self._open is None:
            cache = self._build()
            self.skipped = tuple(cache.names[i] for i in cache.empty)
            settle_empty(self.name, self._integration.too_few, self.skipped, self.empty)
            self._open = cache
        return self._open

    def prepare(self) -> None:
        self.frames()

    def look(self) -> None:
        try:
            super().look()
        except DataError:
            if not self.is_packed():
                raise

    def read_some(self) -> None:
        recordings = self._found() if self.reads_files else None
        cache = open_cache(self.cache_folder())
        if recordings and (cache is None or changed(cache, recordings, self.stamps(recordings))):
            self._integration.try_some(recordings)

    def data_files(self) -> DataFiles | None:
        try:
            recordings = self.find()
            self._looked_at = [recording.name for recording in recordings]
            return self._files_of(recordings)
        except DataError:
            cache = open_cache(self.cache_folder())
            if cache is None or "data" not in cache.manifest:
                raise
            return DataFiles(**cache.manifest["data"])

    def preprocessing(self) -> str | None:
        return self.cache_folder().name

    def _train_set(self) -> SampleSet:
        return self._part(self._split().train)

    def _test_set(self) -> SampleSet:
        return self._part(self._split().test)

    def status(self) -> Status:
        return recordings_status(self.find, self.cache_folder(), self.expected, self.class_names)

    def verify(self) -> list[str]:
        recordings, read_before = self._found(), False
        problems: list[str] = []
        for folder in self.cache_folders():
            damage = check_cache(folder)
            cache = open_cache(folder)
            problems += damage
            if cache is not None and recordings is not None and self._is_of_these(cache):
                if found := changed(cache, recordings, self.stamps(recordings)):
                    problems.append(f"{folder} {found}; the next run with it integrates them anew")
                read_before |= not damage and not found
        if recordings is not None and self.reads_files and not read_before:
            problems += unreadable(partial(self._integration.problem, recordings), len(recordings), self.name)
        return problems

    def part_labels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        recordings = self._found()
        if recordings is None:
            return super().part_labels()
        labels = np.array([recording.label for recording in recordings], np.int64)
        split = self._sides([recording.name for recording in recordings], labels)
        return labels[split.train], labels[split.test]

    def contents(self) -> list[str]:
        recordings = self._found()
        caches = [cache for folder in self.cache_folders() if (cache := open_cache(folder)) is not None]
        there = [recordings is not None and self._is_of_these(cache) for cache in caches]
        return super().contents() + list(map(made_of, caches, there))

    def cache_folders(self) -> list[Path]:
        """The existing caches of this data set, for any configuration."""
        return sorted(self.cache_parent().glob("frames-????????????"))

    def cache_folder(self) -> Path:
        """The cache folder of this configuration; it need not exist."""
        return cache_folder(self.cache_parent(), self.parameters())

    def cache_parent(self) -> Path:
        """The folder of this data set's caches."""
        return cache_parent(self.root, self.name)

    def _build(self) -> FrameCache:
        folder = self.cache_folder()
        cache = open_cache(folder)
        try:
            recordings = self.find_or_unpack()
        except DataError:
            if cache is None:
                raise
            return cache
        names = [recording.name for recording in recordings]
        if names != self._looked_at:
            self.forget_files()  # more were unpacked
        stamps = self.stamps(recordings)
        if cache is not None and not changed(cache, recordings, stamps):
            return cache
        labels = [recording.label for recording in recordings]
        workers = reading_workers(len(recordings))
        produce = partial(self._integration.frames, recordings)
        files = self.known_files()
        data = None if files is None else asdict(files)
        return build_cache(
            folder, names, stamps, labels, self.raw_shape, produce, self.parameters(), data, workers
        )

    def _found(self) -> list[Recording] | None:
        """The recordings; None where they are gone.

        Raises:
            DataError: they are there, and their classes are not clear.
        """
        try:
            return self.find()
        except NotThereError:
            return None

    def _is_of_these(self, cache: FrameCache) -> bool:
        """Whether a cache is of the recordings and classes of this configuration, however they are integrated."""
        framing = {*self.framing.parameters(), "duration_ms", "tail", "empty"}
        stored, own = cache.manifest["parameters"], self.parameters()
        return all(stored.get(key) == own[key] for key in own.keys() - framing)

    def _files_of(self, recordings: Sequence[Recording]) -> DataFiles | None:
        # Several recordings may lie in one file, and be named after their places in it.
        if not self.reads_files:
            return None
        sizes = {recording.path: (recording.name, recording.path.stat().st_size) for recording in recordings}
        return DataFiles.of(sizes.values())

    @property
    def _integration(self) -> Integration:
        return Integration(self.read, self.framing, self.sensor, self.empty)

    def _split(self) -> Split:
        cache = self.frames()
        return self._sides(cache.names, cache.labels, cache.empty)

    def _sides(self, names: Sequence[str], labels: NDArray[np.int64], empty: Sequence[int] = ()) -> Split:
        chosen = self.split(names, labels)
        # After the split, so that the others stay on their sides.
        split = Split(*(side[~np.isin(side, empty)] for side in (chosen.train, chosen.test)))
        refuse_empty_sides(split, f"dataset {self.name}: split '{self.split_name}'", len(names))
        return split

    def _part(self, index: NDArray[np.int64]) -> SampleSet:
        cache = self.frames()
        return ArraySet(cache.frames, cache.labels, index)
