"""A folder of one's own event recordings."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.assumptions import assumptions
from snnlab.data.cache import FrameCache, open_cache
from snnlab.data.event_data import EventData
from snnlab.data.files import Recording
from snnlab.data.frames import Events, Framing
from snnlab.data.own_folder import OwnFolder, say_once
from snnlab.data.own_recordings import ENDINGS, read_own, read_raw
from snnlab.data.raw_events import Meaning, seen
from snnlab.data.splits import Split
from snnlab.errors import ConfigError, DataError
from snnlab.ranges import NonNegativeInt, OpenFraction, Positive, PositiveInt, Unhashed

_LARGEST = 48
_UNKNOWN = (128, 128)
_TRIED = 5


class EventFolder(EventData):
    """Event recordings of one's own in class folders, DIR/<class>/* or DIR/train/<class>/* and DIR/test/<class>/*.

    Recordings end in .npy .npz .h5 .hdf5 .csv .txt .mat .aedat .aedat4 .dat .raw .bin. What a format does not say
    has to be given: the sensor, the order of columns without names, the unit of time. Frames are cached below the data
    root. Results are labelled with the folder's name.

    Args:
        root: folder of all data sets, for the cache.
        num_steps: frames per recording.
        folder: the folder with the class folders; relative to the current one.
        split: auto (folders, where both are) | folders (train/ against test/ or val/) | fraction (of every class).
            With test/ and val/, test/ is held out and val/ is left out.
        fraction: of every class for training, where the split is by fraction.
        split_seed: of the choice of that fraction; not the run's seed.
        width: columns of the sensor; null: as the files say.
        height: rows of the sensor; null: as the files say.
        columns: a letter for each column of a table without names, such as txyp; _ leaves a column out.
        time_unit: s | ms | us | ns; null: as the files say, else microseconds as long as they make sense.
        first_pixel: index of the sensor's first row and column: 0 or 1.
        image_size: height and width after decoding; null: the sensor's longer side, at most 48.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).

    Raises:
        ConfigError: the split does not fit the folder, or one of width and height is given without the other.
        DataError: the files do not say what the sensor is, and it is not given.
    """

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        folder: Unhashed[Path | None] = None,
        split: Literal["auto", "folders", "fraction"] = "auto",
        fraction: OpenFraction = 0.8,
        split_seed: NonNegativeInt = 0,
        width: PositiveInt | None = None,
        height: PositiveInt | None = None,
        columns: str | None = None,
        time_unit: Literal["s", "ms", "us", "ns"] | None = None,
        first_pixel: Literal[0, 1] = 0,
        image_size: PositiveInt | None = None,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
    ) -> None:
        if columns is not None and sorted(columns.replace("_", "")) != list("ptxy"):
            raise ConfigError(
                f"dataset.columns: '{columns}' has not each of t, x, y and p once",
                "for example dataset.columns=txyp; _ stands for a column to leave out",
            )
        if (width is None) != (height is None):
            raise ConfigError("dataset.width and dataset.height: one is given without the other", "give both")
        self.own = OwnFolder("event_folder", folder, ENDINGS, split, fraction, split_seed)
        self.name = self.own.name
        self.class_names = self.own.classes
        self.columns = columns
        self.sensor = self._sensor() if width is None or height is None else (height, width)
        self.meaning = Meaning(self.sensor, time_unit, first_pixel, max(num_steps, 2))
        super().__init__(
            root,
            Framing(num_steps, by, duration_ms, values, tail),
            scale,
            image_size or min(_LARGEST, max(self.sensor)),
            self.own.split_name,
            empty,
            resize,
        )

    def find(self) -> list[Recording]:
        return self.own.find()

    def find_or_unpack(self) -> list[Recording]:
        return self.own.find()

    def read(self, recordings: Sequence[Recording]) -> list[Events]:
        return [read_own(recording.path, self.columns, self.meaning) for recording in recordings]

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        return self.own.sides(names, labels)

    def cache_parent(self) -> Path:
        return self.own.cache_parent(self.root)

    def parameters(self) -> dict[str, object]:
        own = {
            "classes": list(self.class_names),
            "columns": self.columns,
            "time_unit": self.meaning.unit,
            "first_pixel": self.meaning.first,
        }
        return {**super().parameters(), **own}

    def contents(self) -> list[str]:
        return super().contents() + self._assumptions()

    def _build(self) -> FrameCache:
        there = open_cache(self.cache_folder()) is not None
        cache = super()._build()
        if not there:
            for line in self._assumptions():
                say_once(f"{self.name}: {line}")
        return cache

    def _assumptions(self) -> list[str]:
        """What is assumed of the first recording that can be read."""
        for recording in self.own.find()[:_TRIED] if self.own.there else ():
            with suppress(DataError):
                return assumptions(read_raw(recording.path, self.columns), self.meaning, recording.name)
        return []

    def _sensor(self) -> tuple[int, int]:
        """The sensor as the first recording that can be read says it; a made-up one where there are no recordings."""
        if not self.own.there:
            return _UNKNOWN
        for recording in (recordings := self.own.find())[:_TRIED]:
            try:
                raw = read_raw(recording.path, self.columns)
            except DataError:
                continue
            if raw.sensor is None:
                raise DataError(
                    f"{recording.path} does not say which sensor it is from; {seen(raw)}",
                    "dataset.width=W dataset.height=H are its columns and rows",
                )
            return raw.sensor
        read_raw(recordings[0].path, self.columns)
        raise DataError(f"{recordings[0].path} changed while it was read", "try again")
