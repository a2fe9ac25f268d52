"""Reads one recording in each of the published file formats. Times are in microseconds, rows from the top.

Shapes: E events.
"""

from pathlib import Path

import numpy as np

from snnlab.data.arrays import read_npy
from snnlab.data.arrays import read_npz as read_columns
from snnlab.data.foreign import reading
from snnlab.data.frames import Events
from snnlab.errors import DataError
from snnlab.packages import need

_SACCADE = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])
_DVS128_LAST = 127


def read_saccades(path: Path) -> Events:
    """N-MNIST and N-Caltech101: 40 bits an event (x, y, polarity and 23 bits of time), read by tonic.

    Raises:
        DataError: it ends in the middle of an event.
    """
    need("tonic", str(path))
    if path.stat().st_size % 5:
        raise DataError(f"{path} ends in the middle of an event", "download it again")
    from tonic.io import read_mnist_file

    found = read_mnist_file(str(path), _SACCADE)
    return Events.of(found["x"], found["y"], found["p"], found["t"])


def read_aedat2(path: Path) -> Events:
    """A DVS128 recording of jAER: lines of `#`, then events of 32-bit address and 32-bit time, big-endian.

    Address bits: 0 polarity (0 is ON), 1 to 7 the column from the right, 8 to 14 the row from the bottom, as in
    jAER's DVS128 extractor; 15 marks entries that are not pixel events. Time starts at 0.

    Raises:
        DataError: not an AEDAT-2.0 file, or it is truncated.
    """
    content = path.read_bytes()
    if not content.startswith(b"#!AER-DAT2"):
        raise DataError(
            f"{path} is not an AEDAT-2.0 file", "is it of another data set, or not fully downloaded?"
        )
    start = 0
    while content[start : start + 1] == b"#":
        start = content.index(b"\n", start) + 1
    if (len(content) - start) % 8:
        raise DataError(f"{path} ends in the middle of an event", "download it again")
    words = np.frombuffer(content, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    words = words[(words[:, 0] >> 15) & 1 == 0]
    address, ticks = words.T
    # The camera's 32-bit clock may wrap; differences as signed integers stay correct.
    t = np.cumsum(np.diff(ticks, prepend=ticks[:1]).astype(np.int32), dtype=np.int64)
    x = _DVS128_LAST - ((address >> 1) & 127)
    y = _DVS128_LAST - ((address >> 8) & 127)
    return Events.of(x, y, 1 - (address & 1), t)


def read_aedat4(path: Path) -> Events:
    """AEDAT-4, the format in which tonic downloads CIFAR10-DVS; needs the package `aedat`.

    Raises:
        MissingPackageError: the package is not installed; the published AEDAT-2 files need none.
    """
    need("aedat", f"{path}, in AEDAT-4 format,")
    need("tonic", str(path))
    from tonic.io import read_aedat4 as read

    found = read(str(path))
    t, x, y, p = (found[name] for name in found.dtype.names)
    return Events.of(x, y, p, t)


def read_npz(path: Path) -> Events:
    """spikingjelly's converted recordings (`events_np`): arrays t, x, y, p."""
    return Events.of(*read_columns(path, ("x", "y", "p", "t")))


def read_xypt_npy(path: Path) -> Events:
    """tonic's DVS-Gesture: an array [E, 4] of x, y, polarity and time in milliseconds."""
    table = read_npy(path)
    if table.ndim != 2 or table.shape[1] != 4:
        raise DataError(
            f"{path}: an array of shape {table.shape} instead of [events, 4]", "columns are x, y, p, t"
        )
    x, y, p, t = table.T
    return Events.of(x, y, p, np.asarray(t, np.float64) * 1000)


READERS = {
    ".bin": read_saccades,
    ".aedat": read_aedat2,
    ".aedat4": read_aedat4,
    ".npz": read_npz,
    ".npy": read_xypt_npy,
}


def read_recording(path: Path) -> Events:
    """Reads a recording by the ending of its name.

    Raises:
        DataError: the file is damaged, whatever its parser raises; or its values are no events, see `Events.of`.
    """
    with reading(path):
        return READERS[path.suffix](path)
