"""One recording of each format as a picture: an F, which no turn and no mirror image leaves as it is.

Its events are written as the publishers' formats say, not as the readers see them, and come out upright:

    ######
    #.....
    ####..
    #.....
    #.....

`pictures/formats.png` shows the five frames, ON in blue and OFF in red, from left to right: N-MNIST and
N-Caltech101 (`.bin`), jAER's DVS128 (`.aedat`), CIFAR10-DVS's frames from the same file (on its side, as published),
spikingjelly's (`.npz`), tonic's DVS-Gesture (`.npy`). `python -m tests.data.test_pictures` draws it anew.
"""

import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab.data.files import Recording
from snnlab.data.frames import Framing, integrate
from snnlab.data.readers import read_recording
from snnlab.datasets import CIFAR10DVS

PICTURE = Path(__file__).parent / "pictures" / "formats.png"
F = ("######", "#.....", "####..", "#.....", "#.....")
_LEFT, _TOP = 20, 4
_SIDE = 34
# Column, row from the top, polarity (the first row is OFF) and time in milliseconds.
EVENTS = [
    (_LEFT + x, _TOP + y, int(y > 0), 10 * y + x)
    for y, row in enumerate(F)
    for x, mark in enumerate(row)
    if mark == "#"
]


def write_bin(path):
    """Column, row from the top; bit 23 is 1 for ON, 23 bits of microseconds."""
    path.write_bytes(
        b"".join(bytes([x, y]) + ((p << 23) | 1000 * t).to_bytes(3, "big") for x, y, p, t in EVENTS)
    )


def write_aedat(path):
    """jAER's address: bit 0 is 0 for ON, bits 1 to 7 the column from the right, 8 to 14 the row from the bottom."""
    words = [((y << 8) | ((127 - x) << 1) | (1 - p), 1000 * t) for x, y, p, t in _from_the_bottom()]
    path.write_bytes(b"#!AER-DAT2.0\r\n" + b"".join(struct.pack(">II", *word) for word in words))


def _from_the_bottom():
    return [(x, 127 - y, p, t) for x, y, p, t in EVENTS]


def write_npz(path):
    x, y, p, t = np.array(EVENTS).T
    np.savez(path, x=x, y=y, p=p, t=1000 * t)


def write_npy(path):
    np.save(path, np.array(EVENTS))


FORMATS = {
    "a1.bin": write_bin,
    "a1.aedat": write_aedat,
    "a1.npz": write_npz,
    "a1.npy": write_npy,
}


def frame(events):
    return integrate(events, Framing(1), 128, 128)[0]


def as_text(frame_2HW):
    """The part of a frame around the F, and nothing outside of it."""
    seen = frame_2HW.any(0)
    assert seen.sum() == len(EVENTS)
    return tuple(
        "".join("#" if mark else "." for mark in row)
        for row in seen[_TOP : _TOP + len(F), _LEFT : _LEFT + len(F[0])]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_the_f_is_upright_in_every_format(tmp_path, name):
    FORMATS[name](tmp_path / name)
    found = frame(read_recording(tmp_path / name))
    assert as_text(found) == F
    off, on = found[:, _TOP : _TOP + 2].any((1, 2)), found[:, _TOP + 2 :].any((1, 2))
    assert (off[0], on[0]) == (True, False)  # the first row is OFF, the others are ON
    assert found[1].sum() == len(EVENTS) - len(F[0])


def test_cifar10_dvs_swaps_rows_and_columns_as_published(tmp_path):
    write_aedat(tmp_path / "a1.aedat")
    found = frame(_cifar10_dvs(tmp_path))
    assert as_text(found.transpose(0, 2, 1)) == F


def _cifar10_dvs(folder):
    return CIFAR10DVS(folder).read([Recording("a1.aedat", 0, folder / "a1.aedat")])[0]


def drawn(folder):
    """The frames side by side, uint8 [34, 5 * 34, 3]."""
    for name, write in FORMATS.items():
        write(folder / name)
    upright = [frame(read_recording(folder / name)) for name in FORMATS]
    frames = [*upright[:2], frame(_cifar10_dvs(folder)), *upright[2:]]
    picture = np.full((_SIDE, _SIDE * len(frames), 3), 255, np.uint8)
    for i, (off, on) in enumerate(frames):
        part = picture[:, i * _SIDE : (i + 1) * _SIDE]
        part[off[:_SIDE, :_SIDE] > 0] = (200, 0, 0)
        part[on[:_SIDE, :_SIDE] > 0] = (0, 0, 200)
        part[:, -1] = 128
    return picture


def test_the_picture_in_the_tests_documentation_is_fresh(tmp_path):
    assert np.array_equal(np.asarray(Image.open(PICTURE)), drawn(tmp_path))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        Image.fromarray(drawn(Path(place))).save(PICTURE)
