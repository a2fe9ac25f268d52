"""SL-Animals-DVS: signs of Spanish sign language for animals in front of an event camera."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.aedat_words import dvs128_events, read_words
from snnlab.data.event_data import EventData
from snnlab.data.event_tags import read_tags
from snnlab.data.files import Recording, files_named, missing
from snnlab.data.foreign import reading
from snnlab.data.frames import Events, Framing
from snnlab.data.identity import DataFiles
from snnlab.data.splits import Split, by_test_mask, stratified
from snnlab.errors import DataError
from snnlab.ranges import Positive, PositiveInt

_FOLDERS = ("sl_animals_dvs", "SL-Animals-DVS", "sl-animals-dvs", "SL_Animals")
_RECORDINGS = ("recordings", "allusers_aedat")
_TAGS = ("tags", "tags_updated_19_08_2020")
_PERSON = re.compile(r"user[0-9]{2}_[a-z]+")
_INDOOR = "_indoor"
_ADDRESS = (
    "http://www2.imse-cnm.csic.es/neuromorphs/index.php/SL-ANIMALS-DVS-Database (you register there; "
    "https://github.com/ronichester/SL-animals-DVS-stbp shows the folders)"
)
# The persons that TORE's code holds out (Baldwin et al. 2022), of whose numbers no other person has one.
_TORE = {*range(14, 18), 23, 24, 33, 34, *range(54, 60)}
_CLASSES = """
    cat dog camel cow sheep goat wolf squirrel mouse dolphin shark lion monkey snake spider butterfly bird duck zebra
"""


class SLAnimalsDVS(EventData):
    """SL-Animals-DVS (Vasudevan et al. 2020): 19 signs by 59 people, 1121 samples of 128 x 128 pixels.

    As published: a recording of each person, `recordings/user<NN>_<place>.aedat` (also `allusers_aedat`), with all 19
    signs, and `tags/user<NN>_<place>.csv` (also `tags_updated_19_08_2020`) with the columns class, startTime_ev and
    endTime_ev, which count events. Looked for under `sl_animals_dvs`, `SL-Animals-DVS`, `sl-animals-dvs` or
    `SL_Animals` in the data folder. AEDAT-3.1 and AEDAT-2.0 are read; tonic 1.7's reader of such files, with which
    published code cuts the samples, raises. The published archive is a .rar, which you unpack.

    TMC gives neither frames nor size nor split. Other published results hold out a quarter of the samples at random, or
    some of the persons, and some leave out the recordings under neon light (set S3, `_indoor`).

    Args:
        root: folder of all data sets.
        num_steps: frames per sample.
        image_size: height and width after decoding; the sensor has 128 x 128 pixels. Default 48, as for the other
            event sets of TMC's code.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration. Published code has 50 frames of 30 ms.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: samples with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).
        split: persons_tore (14 persons are held out, as in TORE's code) | stratified75_seed0 (75 % of each class at
            random for training; the same persons are on both sides).
        indoor: false: without the recordings under neon light, whose flicker the camera sees (set S3).
    """

    name = "sl_animals_dvs"
    class_names = tuple(_CLASSES.split())
    sensor = (128, 128)

    def __init__(
        self,
        root: Path,
        num_steps: int = 16,
        *,
        image_size: PositiveInt = 48,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["persons_tore", "stratified75_seed0"] = "persons_tore",
        indoor: bool = True,
    ) -> None:
        self.indoor = indoor
        self._held: tuple[Path, NDArray[np.int64]] | None = None
        self.expected = 1121 if indoor else 1121 - 17 * 19
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )

    def find(self) -> list[Recording]:
        """Samples by person and their place in the recording; several lie in one file.

        Raises:
            DataError: there are none, tags are damaged, or a recording and its tags are not both there.
        """
        for folder in _FOLDERS:
            recordings = _persons(self.root / folder, _RECORDINGS, ".aedat")
            tags = _persons(self.root / folder, _TAGS, ".csv")
            if single := sorted(recordings.keys() ^ tags.keys()):
                there, absent = ("tags", "recording") if single[0] in tags else ("a recording", "tags")
                raise DataError(
                    f"dataset {self.name}: {self.root / folder} holds {there} of {single[0]} and no {absent}",
                    "a person's recording and tags are needed both; get the other one, or remove this one",
                )
            chosen = [name for name in sorted(recordings) if self.indoor or not name.endswith(_INDOOR)]
            if chosen:
                return [one for name in chosen for one in self._samples(name, recordings[name], tags[name])]
        raise missing(self.root, self.name, _FOLDERS[0], "recordings/*.aedat and tags/*.csv", _ADDRESS)

    def find_or_unpack(self) -> list[Recording]:
        return self.find()

    def read(self, recordings: Sequence[Recording]) -> list[Events]:
        return [self._cut(recording) for recording in recordings]

    def stamps(self, recordings: Sequence[Recording]) -> list[str]:
        state = {path: path.stat() for path in {recording.path for recording in recordings}}
        return [f"{one.name}\t{state[one.path].st_size}\t{state[one.path].st_mtime_ns}" for one in recordings]

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        if self.split_name == "persons_tore":
            return by_test_mask(np.array([int(name[4:6]) in _TORE for name in names]))
        return stratified(labels, 0.75, seed=0)

    def parameters(self) -> dict[str, object]:
        return {**super().parameters(), "indoor": self.indoor}

    def _files_of(self, recordings: Sequence[Recording]) -> DataFiles | None:
        paths = {recording.path for recording in recordings}
        folder = recordings[0].path.parents[1]
        tags = _persons(folder, _TAGS, ".csv")
        return DataFiles.at(folder, [*paths, *(tags[path.stem] for path in paths)])

    def _samples(self, person: str, recording: Path, tags: Path) -> list[Recording]:
        # A name holds what the tags say, so that other tags make other frames.
        return [
            Recording(f"{person}/{row:02d}-{tag.start}-{tag.end}", tag.label, recording)
            for row, tag in enumerate(read_tags(tags, self.num_classes))
        ]

    def _cut(self, recording: Recording) -> Events:
        start, end = map(int, recording.name.split("-")[1:])
        if self._held is None or self._held[0] != recording.path:
            with reading(recording.path):
                self._held = (recording.path, read_words(recording.path))
        words = self._held[1]
        if end > len(words):
            raise DataError(
                f"{recording.path} holds {len(words)} events, and its tags name {end}",
                "recording and tags are of different persons, or the recording is not fully downloaded",
            )
        return dvs128_events(words[start:end])


def _persons(folder: Path, places: Sequence[str], ending: str) -> dict[str, Path]:
    """The file of each person in the first of these places that has some."""
    for place in places:
        found = {path.stem: path for path in files_named(folder / place, _PERSON) if path.suffix == ending}
        if found:
            return found
    return {}
