"""DVS128 Gesture: eleven hand and arm gestures of 29 people in front of an event camera."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.archives import packed, unpack_archives
from snnlab.data.event_data import EventData
from snnlab.data.files import Recording, class_folders, files_named, missing, number_in
from snnlab.data.frames import Framing
from snnlab.data.splits import Split, by_test_mask
from snnlab.errors import DataError
from snnlab.ranges import Positive, PositiveInt

_FOLDERS = ("dvs_gesture", "dvs_gesture/DVSGesture", "DVSGesture", "DVS128Gesture")
_TRAIN, _TEST = "ibmGestureTrain", "ibmGestureTest"
_ARCHIVES = (f"{_TRAIN}.tar.gz", f"{_TEST}.tar.gz")
# A person under some light, the number of a gesture, and a cut of a person's recording.
_PERSON = re.compile(r"user[0-9]{1,3}_[a-z]+(_[a-z]+)*")
_LABEL = re.compile(r"0|[1-9][0-9]?")
_CUT = re.compile(rf"{_PERSON.pattern}_[0-9]{{1,3}}")
_ADDRESSES = "https://figshare.com/ndownloader/files/38022171 and .../38020584"


class DVSGesture(EventData):
    """DVS128 Gesture (Amir et al. 2017): 1077 + 264 recordings of 128 x 128 pixels, 11 classes.

    Looked for under `dvs_gesture`, `DVSGesture` or `DVS128Gesture` in the data folder, in tonic's form
    `ibmGestureTrain/user<NN>_<light>/<label>.npy` (time in milliseconds) or in spikingjelly's form
    `events_np/train/<label>/*.npz` (1176 + 288 recordings). tonic's two archives are unpacked there.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording.
        image_size: height and width after decoding; the sensor has 128 x 128 pixels. Default 32, as TMC's
            paper says.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration. TMC's paper uses frames of 30 ms
            (`by: duration`).
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).
        split: published: by person. No person occurs in both folders.
    """

    name = "dvs_gesture"
    class_names = (
        "hand clapping",
        "right hand wave",
        "left hand wave",
        "right arm clockwise",
        "right arm counter clockwise",
        "left arm clockwise",
        "left arm counter clockwise",
        "arm roll",
        "air drums",
        "air guitar",
        "other gestures",
    )
    sensor = (128, 128)
    mirror_changes_class = True
    expected = 1341

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        image_size: PositiveInt = 32,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["published"] = "published",
    ) -> None:
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )

    def find(self) -> list[Recording]:
        for folder in _FOLDERS:
            for recordings in (_in_tonics_form, _in_spikingjellys_form):
                found = list(recordings(self.root / folder))
                if found:
                    return found
        example = f"{_TRAIN}/user01_led/*.npy"
        raise missing(self.root, self.name, _FOLDERS[0], example, _ADDRESSES)

    def find_or_unpack(self) -> list[Recording]:
        try:
            found = self.find()
        except DataError:
            found = []
        if {_is_test(recording.name) for recording in found} != {True, False}:
            for folder in _FOLDERS:
                unpack_archives(self.root / folder, _ARCHIVES)
        return self.find()

    def is_packed(self) -> bool:
        return any(packed(self.root / folder, _ARCHIVES) for folder in _FOLDERS)

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        return by_test_mask(np.array([_is_test(name) for name in names]))


def _is_test(name: str) -> bool:
    return name.startswith((f"{_TEST}/", "events_np/test/"))


def _in_tonics_form(folder: Path) -> Iterator[Recording]:
    found = {
        part: [
            path
            for person in class_folders(folder / part)
            if _PERSON.fullmatch(person)
            for path in files_named(folder / part / person, _LABEL)
            if path.suffix == ".npy"
        ]
        for part in (_TRAIN, _TEST)
    }
    first = _first_label(folder, {int(path.stem) for paths in found.values() for path in paths})
    for paths in found.values():
        for path in sorted(paths, key=lambda path: (int(path.stem), number_in(path.parent.name), str(path))):
            yield Recording(path.relative_to(folder).as_posix(), int(path.stem) - first, path)


def _first_label(folder: Path, labels: set[int]) -> int:
    """0, or 1 for recordings numbered 1 to 11 as the data set's authors number the gestures."""
    if (labels <= set(range(11)) and 0 in labels) or not labels:
        return 0
    if labels <= set(range(1, 12)) and 11 in labels:
        return 1
    raise DataError(
        f"dataset dvs_gesture: the gestures in {folder} are numbered {min(labels)} to {max(labels)}, "
        "which is neither 0 to 10 nor 1 to 11",
        "both the first and the last gesture are needed to tell which numbers the gestures have",
    )


def _in_spikingjellys_form(folder: Path) -> Iterator[Recording]:
    places = [
        (part, int(name))
        for part in ("train", "test")
        for name in class_folders(folder / "events_np" / part)
        if _LABEL.fullmatch(name)
    ]
    found = {
        (part, label): sorted(
            path
            for path in files_named(folder / "events_np" / part / str(label), _CUT)
            if path.suffix == ".npz"
        )
        for part, label in sorted(places, key=lambda place: (place[0] == "test", place[1]))
    }
    # spikingjelly counts from 0, so a part of its folders is clear, unless there is a twelfth number.
    labels = {label for (_, label), paths in found.items() if paths}
    first = _first_label(folder, labels) if labels - set(range(11)) else 0
    for (_, label), paths in found.items():
        for path in paths:
            yield Recording(path.relative_to(folder).as_posix(), label - first, path)
