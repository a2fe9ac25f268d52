"""Reads one recording in each of the published file formats. Times are in microseconds, rows from the top.

Shapes: E events.
"""

from pathlib import Path

import numpy as np

from snnlab.data.aedat_words import dvs128_events, read_words
from snnlab.data.arrays import read_npy
from snnlab.data.arrays import read_npz as read_columns
from snnlab.data.foreign import reading
from snnlab.data.frames import Events
from snnlab.errors import DataError
from snnlab.packages import need

_SACCADE = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


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


def read_dvs128(path: Path) -> Events:
    """A DVS128 recording: AEDAT-2.0 of jAER (lines of `#`, then 32-bit address and time, big-endian) or AEDAT-3.1.

    It comes out upright, see `dvs128_events`; entries that are not pixel events are left out.

    Raises:
        DataError: it is of another format, or truncated.
    """
    return dvs128_events(read_words(path))


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
    ".aedat": read_dvs128,
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
