"""Pictures of one's own: what all of them have in common, one of them as a square of bytes, and their statistics.

Shapes: N pictures, C channels, S rows and columns.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.atomic import write_json
from snnlab.data.files import Recording
from snnlab.data.frame_file import FrameFile
from snnlab.data.image_files import open_picture, to_rgb
from snnlab.errors import DataError

_GREY = ("1", "L", "LA", "I;16", "I;16B", "I;16L", "I;16N")
_CHUNK = 512


@dataclass(frozen=True)
class Common:
    """What the headers of some pictures say.

    Attributes:
        side: the shorter side that most pictures have; of two that are equally frequent, the smaller one.
        grey: no picture has colours.
    """

    side: int
    grey: bool


def common(recordings: Sequence[Recording], listing: str, stored: Path) -> Common:
    """Looks into the headers of all pictures, once: the answer is kept in a file. Damaged pictures are left out.

    Args:
        recordings: the pictures.
        listing: a hash that changes when they do.
        stored: the file that keeps the answer.

    Raises:
        DataError: no picture can be read.
    """
    try:
        known = json.loads(stored.read_text(encoding="utf-8"))
        if known["listing"] == listing and type(known["side"]) is int and known["side"] > 0:
            return Common(known["side"], bool(known["grey"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = _look(recordings)
    stored.parent.mkdir(parents=True, exist_ok=True)
    write_json(stored, {"listing": listing, **asdict(found)})
    return found


def read_picture(path: Path, size: int, channels: int) -> NDArray[np.uint8]:
    """A picture, turned as its camera says, scaled until its shorter side is `size`, and cut from the middle.

    Returns:
        uint8 [C, S, S].

    Raises:
        DataError: the file is damaged, or no picture.
    """
    from PIL import Image, ImageOps

    with open_picture(path) as picture:
        upright = to_rgb(ImageOps.exif_transpose(picture), str(path))
        square = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
        if channels == 1:
            return np.asarray(square.convert("L"))[None]
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


def statistics(
    pictures: FrameFile, index: NDArray[np.int64], folder: Path
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over some pictures, from 0 to 1; measured once, kept in `folder`.

    A channel that is the same everywhere has the deviation 1.

    Args:
        pictures: uint8 [N, 1, C, S, S].
        index: the pictures that count.
        folder: that of the pictures' cache.
    """
    name = hashlib.sha256(index.astype("<i8").tobytes()).hexdigest()[:12]
    stored = folder / f"statistics-{name}.json"
    channels = pictures.shape[2]
    try:
        known = json.loads(stored.read_text(encoding="utf-8"))
        mean, std = (tuple(map(float, known[key])) for key in ("mean", "std"))
        if len(mean) == len(std) == channels and np.isfinite(mean + std).all() and min(std) > 0:
            return mean, std
    except (OSError, ValueError, KeyError, TypeError):
        pass
    total, squares = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    for start in range(0, len(index), _CHUNK):
        values = pictures[index[start : start + _CHUNK]].astype(np.int64)
        total += values.sum((0, 1, 3, 4))
        squares += (values**2).sum((0, 1, 3, 4))
    count = len(index) * pictures.shape[3] * pictures.shape[4]
    means = total / count / 255
    deviations = np.sqrt(np.maximum(squares / count / 255**2 - means**2, 0))
    deviations[deviations < 1e-6] = 1.0
    found = tuple(map(float, means)), tuple(map(float, deviations))
    write_json(stored, {"mean": list(found[0]), "std": list(found[1])})
    return found


def _look(recordings: Sequence[Recording]) -> Common:
    sides: Counter[int] = Counter()
    grey = True
    for recording in recordings:
        try:
            with open_picture(recording.path) as picture:
                sides[min(picture.size)] += 1
                grey &= picture.mode in _GREY
        except DataError:
            continue
    if not sides:
        raise DataError(
            f"{recordings[0].path}: this picture cannot be read, and no other one can", "get them again"
        )
    return Common(max(sides, key=lambda side: (sides[side], -side)), grey)
