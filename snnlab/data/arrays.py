"""NumPy's files, read without trust: no pickles, and no memory before a header's size is compared with the file's."""

import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LARGEST = 2**30
"""Bytes of the largest array that is read, ten times those of the largest published recording."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Path, *, fields: bool = False) -> NDArray[Any]:
    """The array of numbers in a .npy file; with `fields`, also one with named columns.

    Raises:
        ValueError: it holds something else, or its header does not fit its size. Damaged headers raise other
            exceptions, too; see `reading`.
    """
    with path.open("rb") as stream:
        return read_array(stream, os.fstat(stream.fileno()).st_size, fields=fields)


def read_npz(path: Path, names: Sequence[str]) -> list[NDArray[Any]]:
    """The named arrays of numbers in a .npz file.

    Raises:
        KeyError: a name is missing.
        ValueError: as in `read_npy`.
    """
    with zipfile.ZipFile(path) as archive:
        return [read_member(archive, f"{name}.npy") for name in names]


def read_member(archive: zipfile.ZipFile, name: str, *, fields: bool = False) -> NDArray[Any]:
    """The array of numbers in one file of a zip; with `fields`, also one with named columns.

    Raises:
        KeyError, ValueError: as in `read_npz`.
    """
    with archive.open(name) as stream:
        return read_array(stream, archive.getinfo(name).file_size, fields=fields)  # type: ignore[arg-type]  # a stream of bytes


def read_array(stream: BinaryIO, size: int, *, fields: bool = False) -> NDArray[Any]:
    """The array of numbers in a stream of .npy format.

    Args:
        stream: at the start of the format.
        size: bytes that the stream is said to hold; what it does not hold is not allocated.
        fields: values may have named fields, each a number.

    Raises:
        ValueError: as in `read_npy`.
    """
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of the .npy format")
    shape, columns_first, dtype = _HEADERS[version](stream)
    kinds = [dtype[name].kind for name in dtype.names or ()] if fields and dtype.names else [dtype.kind]
    if "O" in kinds:
        raise ValueError(
            "it is a pickle of Python objects; np.savez(file, x=x, y=y, p=p, t=t) writes numbers"
        )
    if not set(kinds) <= set("biuf") or dtype.itemsize == 0:
        raise ValueError(f"it holds values of type {dtype}, not numbers")
    if any(length < 0 for length in shape):
        raise ValueError(f"its header names the shape {list(shape)}")
    promised = math.prod(shape) * dtype.itemsize
    if promised != size - stream.tell():
        raise ValueError(
            f"its header promises {promised:,} bytes of shape {list(shape)}, and {size - stream.tell():,} are there"
        )
    if promised > LARGEST:
        raise ValueError(f"an array of {promised:,} bytes, and at most {LARGEST:,} are read")
    content = stream.read(promised)
    if len(content) != promised:
        raise ValueError(f"it ends after {len(content):,} of {promised:,} bytes")
    found = np.frombuffer(content, dtype) if content else np.empty(0, dtype)
    return found.reshape(shape, order="F" if columns_first else "C")
