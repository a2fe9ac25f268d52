"""Recordings as arrays or text: NumPy's files, HDF5, MATLAB's files, and lines of numbers.

Shapes: E events.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlab.data.arrays import LARGEST, read_member, read_npy
from snnlab.data.raw_events import UNNAMED, RawEvents, from_table, named_columns
from snnlab.errors import DataError
from snnlab.packages import need

_NUMBERS = "biuf"
_COMMENTS = ("#", "%", "//")
_WORDS = {"true": 1.0, "false": 0.0, "on": 1.0, "off": 0.0}
"""How polarities are also written."""
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
    """Lines of numbers, separated by commas, semicolons, tabs or blanks; lines of #, % and // are left out.

    A first line of words names the columns; one of two numbers, width and height, is the sensor.
    """
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"{path} is larger than {LARGEST:,} bytes", "cut the recording into samples of one class"
        )
    # Events are ASCII; a comment may be in any encoding.
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    rows = [
        (number, _split(line))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith(_COMMENTS)
    ]
    names: list[str] = []
    sensor = None
    if rows and not all(map(_is_number, rows[0][1])):
        names, rows = rows[0][1], rows[1:]
    elif len(rows) > 1 and len(rows[0][1]) == 2 and len(rows[1][1]) > 2:
        (width, height), rows = rows[0][1], rows[1:]
        sensor = (int(height), int(width))
    if not rows:
        if names and not named_columns(dict.fromkeys(names))[0]:
            raise DataError(f"its only line, '{' '.join(names)[:60]}', is no event", "remove the file")
        return RawEvents(*np.zeros((4, 0)))
    table = _numbers(rows)
    if names and len(names) == table.shape[1]:
        known, unit = named_columns(dict.fromkeys(names))
        if known:
            x, y, p, t = (table[:, names.index(known[letter])] for letter in "xypt")
            return RawEvents(x, y, p, t, unit)
    try:
        found = from_table(table, columns)
    except DataError as error:
        if names and columns is None:
            raise DataError(
                f"{error.message}; the first line is '{','.join(names)[:80]}'", error.hint
            ) from None
        raise
    return RawEvents(found.x, found.y, found.p, found.t, sensor=sensor)


def _numbers(rows: Sequence[tuple[int, Sequence[str]]]) -> NDArray[np.float64]:
    """The table of lines of words, each with its number in the file.

    Raises:
        DataError: lines differ in length, or a word is no number.
    """
    widths = {len(words) for _, words in rows}
    if len(widths) > 1:
        raise DataError(f"lines of {min(widths)} to {max(widths)} numbers", "each line is an event")
    try:
        return np.array([words for _, words in rows], np.float64)
    except ValueError:
        pass
    table = np.empty((len(rows), *widths))
    for row, (number, words) in enumerate(rows):
        for k, word in enumerate(words):
            try:
                table[row, k] = _WORDS[word.lower()] if word.lower() in _WORDS else float(word)
            except ValueError:
                raise DataError(
                    f"line {number}: '{word}' is no number",
                    "each line is an event: numbers with a decimal point, polarities also as true, false, on or off",
                ) from None
    return table


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
    """The words of a line between semicolons, else commas, else tabs, else blanks; without quotes around them.

    Blanks within a word stay then, as in `Time (us),X,Y,Polarity`, and so does an empty word.
    """
    line = line.strip("\r\n ")
    mark = next((one for one in ";,\t" if one in line), None)
    words = line.split(mark)
    if mark in (",", ";") and not words[-1].strip():
        words.pop()  # a separator at the end of a line separates nothing
    return [word.strip().strip("'\"") for word in words]


def _is_number(word: str) -> bool:
    if word.lower() in _WORDS:
        return True
    try:
        float(word)
    except ValueError:
        return False
    return True
