"""Base of the event data sets: recordings are integrated once, cached, and decoded on the training device.

Shapes: N recordings, B batch, T frames, H height, W width.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.cache import FrameCache, build_cache, cache_folder, check_cache, files_hash, open_cache
from snnlab.data.dataset import ArraySet, LabelledData, SampleSet, Status, absent_classes, resize
from snnlab.data.empty import Empty, settle_empty
from snnlab.data.files import Layout, NotThereError, Recording
from snnlab.data.foreign import reading
from snnlab.data.frames import Events, Framing, Scale, frames_to_float, integrate
from snnlab.data.identity import DataFiles
from snnlab.data.pil_la import resize_la
from snnlab.data.places import cache_parent
from snnlab.data.readers import read_recording
from snnlab.data.splits import Split
from snnlab.errors import DataError, SnnlabError

Resizing = Literal["bilinear", "pil_la"]
_MANY = 2000


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
        ValueError: `pil_la` with frames that may hold more than 1.
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

    def decode(self, raw: Tensor) -> Tensor:
        x_BTCHW = frames_to_float(raw, self.scale)
        frames_NCHW = x_BTCHW.flatten(0, 1)
        if self.resizing == "pil_la":
            resized = resize_la(frames_NCHW, self.image_size)
        else:
            resized = resize(frames_NCHW, self.image_size)
        return resized.reshape(*x_BTCHW.shape[:3], self.image_size, self.image_size)

    def frames(self) -> FrameCache:
        """The integrated frames; builds the cache if there is none for these files."""
        if self._open is None:
            cache = self._build()
            self.skipped = tuple(cache.names[i] for i in cache.empty)
            settle_empty(self.name, self._too_few, self.skipped, self.empty)
            self._open = cache
        return self._open

    def prepare(self) -> None:
        self.frames()

    def data_files(self) -> DataFiles | None:
        try:
            return self._files_of(self.find())
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
        folder = self.cache_folder()
        cache = open_cache(folder)
        cached = cache is not None
        try:
            recordings = self.find()
        except DataError as error:
            count = None if cache is None else len(cache.names)
            if not isinstance(error, NotThereError):
                note = f"{error.message}; {error.hint}"
            else:
                note = "frames are cached, recordings are gone" if cached else error.hint
            return Status(cached, None, count, self.expected, folder, cached, note)
        note = ""
        if self.expected is not None and len(recordings) < self.expected:
            note = f"a subset, {len(recordings)} of {self.expected} published recordings"
        absent = absent_classes([recording.label for recording in recordings], self.class_names)
        if absent:
            note = f"{note}; " * bool(note) + f"no recording of {absent}"
        where = recordings[0].path.parents[recordings[0].name.count("/")]
        return Status(True, where, len(recordings), self.expected, folder, cached, note)

    def verify(self) -> list[str]:
        try:
            stamps = self.stamps(self.find())
        except DataError:
            stamps = None
        problems = []
        for folder in self.cache_folders():
            problems += check_cache(folder)
            cache = open_cache(folder)
            if cache is None or stamps is None or files_hash(stamps) == cache.manifest["files_sha256"]:
                continue
            if len(cache.names) != len(stamps):
                changed = f"was made of {len(cache.names)} recordings, now there are {len(stamps)}"
            else:
                changed = "was made of recordings that have changed since"
            problems.append(f"{folder} {changed}; the next run with it integrates them anew")
        return problems

    def cache_folders(self) -> list[Path]:
        """The existing caches of this data set, for any configuration."""
        return sorted(cache_parent(self.root, self.name).glob("frames-????????????"))

    def cache_folder(self) -> Path:
        """The cache folder of this configuration, whether or not it exists."""
        return cache_folder(cache_parent(self.root, self.name), self.parameters())

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
        stamps = self.stamps(recordings)
        if cache is not None and cache.manifest["files_sha256"] == files_hash(stamps):
            return cache
        labels = [recording.label for recording in recordings]
        workers = min(8, os.cpu_count() or 1) if len(recordings) >= _MANY else 0
        produce = partial(self._integrate, recordings)
        files = self._files_of(recordings)
        data = None if files is None else asdict(files)
        return build_cache(
            folder, names, stamps, labels, self.raw_shape, produce, self.parameters(), data, workers
        )

    def _files_of(self, recordings: Sequence[Recording]) -> DataFiles | None:
        # Several recordings may lie in one file, and be named after their places in it.
        if not self.reads_files:
            return None
        sizes = {recording.path: (recording.name, recording.path.stat().st_size) for recording in recordings}
        return DataFiles.of(sizes.values())

    def _integrate(self, recordings: Sequence[Recording], indices: Sequence[int]) -> NDArray[np.uint8]:
        """Frames of the recordings with these indices, [n, T, 2, H, W]."""
        chosen = [recordings[i] for i in indices]
        frames = []
        for recording, events in zip(chosen, self._read(chosen), strict=True):
            with reading(recording.path, "the file is damaged, or of another data set"):
                frames.append(integrate(events, self.framing, *self.sensor))
            if len(events) < self.framing.num_steps:
                if self.empty == "error":
                    raise DataError(
                        f"{recording.path} holds {len(events)} events, {self._too_few}",
                        "download or unpack it again, remove it, or leave such recordings out with dataset.empty=skip",
                    )
                frames[-1] = np.zeros_like(frames[-1])  # by which the cache knows it
        return np.stack(frames)

    @property
    def _too_few(self) -> str:
        return f"fewer than the {self.framing.num_steps} time steps"

    def _read(self, recordings: Sequence[Recording]) -> list[Events]:
        """As `read`; an error that does not say so itself names the first recording that cannot be read."""
        try:
            return self.read(recordings)
        except SnnlabError:
            raise
        except Exception:
            for recording in recordings:
                with reading(recording.path):
                    self.read([recording])
            raise

    def _split(self) -> Split:
        cache = self.frames()
        chosen = self.split(cache.names, cache.labels)
        # After the split, so that the others stay on their sides.
        split = Split(*(side[~np.isin(side, cache.empty)] for side in (chosen.train, chosen.test)))
        for side, index in (("training", split.train), ("held-out", split.test)):
            if len(index) == 0:
                raise DataError(
                    f"dataset {self.name}: split '{self.split_name}' leaves no {side} samples of the "
                    f"{len(cache.names)} recordings that are there",
                    "complete the data set, or choose another dataset.split",
                )
        return split

    def _part(self, index: NDArray[np.int64]) -> SampleSet:
        cache = self.frames()
        return ArraySet(cache.frames, cache.labels, index)
