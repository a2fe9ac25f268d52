"""Reads a file in the Neuromorphic Intermediate Representation (NIR): numbers and names, whoever wrote it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snnlab.errors import ConfigError, reason
from snnlab.packages import need

if TYPE_CHECKING:
    import nir

EXPECTED = "a NIR file is what nir.write makes; snnlab export run=DIR writes one"
MOST_BYTES = 4 << 30
MOST_OBJECTS = 50_000
# The greatest factor by which zlib compresses; the rest is for files that are smaller than their structure.
MOST_COMPRESSED, SPARE_BYTES = 1032, 1 << 20


def read_graph(file: Path) -> "nir.NIRGraph":
    """The graph in a file.

    The file may hold arrays of numbers and text in groups, and nothing that names another file: no external or
    soft links, no data stored elsewhere, nothing that unpacks to more than its size can hold.

    Raises:
        ConfigError: it is missing, damaged, or holds something else.
    """
    need("nir", str(file))
    import h5py
    import nir

    if not file.is_file():
        raise ConfigError(f"no such file: {file}", EXPECTED)
    try:
        with h5py.File(file, "r") as content:
            _check(content, file.stat().st_size)
        with np.errstate(all="ignore"):
            return nir.read(file, type_check=False)
    except Exception as error:  # of HDF5, of nir, and of what a damaged file makes of them
        raise ConfigError(f"{file} is damaged, or no NIR graph: {reason(error)}", EXPECTED) from error


def metadata_of(graph: "nir.NIRGraph") -> tuple[float | None, str | None]:
    """What the file says itself: seconds of a time step, and whether its neurons fire `at` or `above` the threshold.

    Returns:
        None for what it does not say, or says otherwise than `snnlab export` does.
    """
    about = graph.metadata if isinstance(graph.metadata, dict) else {}
    dt, fires = about.get("dt"), about.get("fires")
    try:
        seconds = float(dt)  # type: ignore[arg-type]  # None, text or an array are no number
    except (TypeError, ValueError):
        seconds = 0.0
    return (seconds if 0 < seconds < float("inf") else None), (fires if fires in ("at", "above") else None)


def _check(content: Any, size: int) -> None:
    """Refuses what a graph does not need; raises ValueError."""
    import h5py

    count, total = 0, 0
    for name, one in _objects(content):
        count += 1
        if count > MOST_OBJECTS:
            raise ValueError(f"more than {MOST_OBJECTS:,} entries")
        if isinstance(one, h5py.Group):
            continue
        if not isinstance(one, h5py.Dataset):
            raise ValueError(f"{name} is neither numbers nor text")
        if one.is_virtual or one.external:
            raise ValueError(f"the numbers of {name} lie in another file")
        if one.dtype.kind not in "biuf" and h5py.check_string_dtype(one.dtype) is None:
            raise ValueError(f"{name} is neither numbers nor text")
        total += one.size * one.dtype.itemsize
        if total > min(MOST_BYTES, size * MOST_COMPRESSED + SPARE_BYTES):
            raise ValueError(f"it would unpack to more than {total / 1e6:,.0f} MB")


def _objects(content: Any) -> Iterator[tuple[str, Any]]:
    """All groups and arrays, each once, and no link that leads elsewhere."""
    import h5py

    waiting, seen = [content], set()
    while waiting:
        group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is a link")
            one = group[name]
            place = h5py.h5o.get_info(one.id).addr
            if place in seen:
                raise ValueError(f"{name} is there twice")
            seen.add(place)
            if isinstance(one, h5py.Group):
                waiting.append(one)
            yield name, one
