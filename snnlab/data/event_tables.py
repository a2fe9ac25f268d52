"""Recordings as arrays or text: NumPy's files, HDF5, MATLAB's files, and lines of numbers.

Shapes: E events.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snnlab.data.arrays import LARGEST, read_member, read_npy
from snnlab.data.raw_events import UNNAMED, RawEvents, from_table, named_columns
from snnlab.errors import DataError
from snnlab.packages import need

_NUMBERS = "biuf"
_INFLATED = 1100
"""How many times its size a compressed file may hold; deflate reaches 1032."""


def read_numpy(path: Path, columns: str | None) -> RawEvents:
    """A .npy file with a table or with named fields."""
    return _of_array(read_npy(path, fields=True), columns)


def read_zipped(path: Path, columns: str | None) -> RawEvents:
    """A .npz file with an array for each column, or one array with a table or named fields."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        arrays = {name.removesuffix(".npy"): read_member(archive, name, fields=True) for name in names}
    return _pick({"": arrays}, columns)


def read_hdf5(path: Path, columns: str | None) -> RawEvents:
    """An HDF5 file with a group of four columns, or one array with a table or named fields, at any place.

    Raises:
        MissingPackageError: h5py is not installed.
        DataError: there are none, or several.
    """
    need("h5py", str(path))
    import h5py

    groups: dict[str, dict[str, Any]] = {}
    size = path.stat().st_size

    def visit(name: str, one: Any) -> None:
        if not isinstance(one, h5py.Dataset) or one.ndim > 2 or one.size is None:
            return
        if one.external or one.is_virtual:
            raise DataError(f"{name} lies in another file", "copy the numbers into the file")
        if one.dtype.kind not in _NUMBERS + "V" or one.size * one.dtype.itemsize > min(
            LARGEST, _INFLATED * size
        ):
            return
        group, _, last = name.rpartition("/")
        groups.setdefault(group, {})[last] = one

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        return _pick(groups, columns)


def read_matlab(path: Path, columns: str | None) -> RawEvents:
    """A .mat file (of MATLAB 5 or later) with variables, or a struct, for the columns."""
    with path.open("rb") as file:
        version = file.read(10)
    if version == b"MATLAB 7.3":
        return read_hdf5(path, columns)
    if version != b"MATLAB 5.0":
        raise DataError("it has no header of MATLAB's, version 5.0 or 7.3", "save it with -v7 or -v7.3")
    from scipy.io import loadmat

    found = loadmat(path, simplify_cells=True)
    groups: dict[str, dict[str, Any]] = {}

    def visit(values: Mapping[str, Any], place: str) -> None:
        for name, one in values.items():
            if isinstance(one, Mapping):
                visit(one, f"{place}/{name}".lstrip("/"))
            elif isinstance(one, np.ndarray) and one.dtype.kind in _NUMBERS:
                groups.setdefault(place, {})[name] = one

    visit({name: one for name, one in found.items() if not name.startswith("__")}, "")
    return _pick(groups, columns)


def read_text(path: Path, columns: str | None) -> RawEvents:
    """Lines of numbers, separated by commas, semicolons or blanks; lines of # are left out.

    A first line of words names the columns; one of two numbers, width and height, is the sensor.
    """
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"{path} is larger than {LARGEST:,} bytes", "cut the recording into samples of one class"
        )
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    first = [_split(line) for line in lines[:2]]
    names: list[str] = []
    sensor = None
    if first and not all(map(_is_number, first[0])):
        names, lines = first[0], lines[1:]
    elif len(first) == 2 and len(first[0]) == 2 and len(first[1]) > 2:
        sensor, lines = (int(first[0][1]), int(first[0][0])), lines[1:]
    widths = {len(_split(line)) for line in lines}
    if len(widths) > 1:
        raise DataError(f"{path}: lines of {min(widths)} to {max(widths)} numbers", "each line is an event")
    table = np.loadtxt([" ".join(_split(line)) for line in lines], ndmin=2) if lines else np.zeros((0, 4))
    if names and len(names) == table.shape[1]:
        known, unit = named_columns(dict.fromkeys(names))
        if known:
            x, y, p, t = (table[:, names.index(known[letter])] for letter in "xypt")
            return RawEvents(x, y, p, t, unit)
    found = from_table(table, columns)
    return RawEvents(found.x, found.y, found.p, found.t, sensor=sensor)


def _pick(groups: Mapping[str, Mapping[str, Any]], columns: str | None) -> RawEvents:
    """The events of the one group or array that has some."""
    found: dict[str, RawEvents] = {}
    others: list[str] = []
    for place, arrays in groups.items():
        known, unit = named_columns(arrays)
        if known:
            x, y, p, t = (np.asarray(arrays[known[letter]][()]).ravel() for letter in "xypt")
            found[place or "the file"] = RawEvents(x, y, p, t, unit)
            continue
        for name, one in arrays.items():
            if one.dtype.names and named_columns(dict.fromkeys(one.dtype.names))[0]:
                found[f"{place}/{name}".lstrip("/")] = _of_array(np.asarray(one[()]), columns)
            elif one.ndim == 2 and 4 in one.shape:
                found[f"{place}/{name}".lstrip("/")] = from_table(np.asarray(one[()]), columns)
            else:
                others.append(name)
    if len(found) > 1:
        raise DataError(
            f"events in {' and in '.join(list(found)[:4])}", "one recording for each file is expected"
        )
    if not found:
        raise DataError(
            f"no arrays x, y, p and t; it has {', '.join(others[:8]) or 'none'}",
            "name the columns so, or write .npy",
        )
    return next(iter(found.values()))


def _of_array(array: Any, columns: str | None) -> RawEvents:
    if array.dtype.names is None:
        return from_table(array, columns)
    known, unit = named_columns(dict.fromkeys(array.dtype.names))
    if not known:
        raise DataError(f"{UNNAMED}: {', '.join(array.dtype.names)}", "name the fields x, y, p and t")
    x, y, p, t = (array[known[letter]].ravel() for letter in "xypt")
    return RawEvents(x, y, p, t, unit)


def _split(line: str) -> list[str]:
    return [word for word in re.split(r"[,;\s]+", line.strip()) if word]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
