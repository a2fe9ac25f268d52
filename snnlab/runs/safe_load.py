"""Reads a file that torch wrote: tensors and plain values only, whoever made it."""

import warnings
import zipfile
import zlib
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from snnlab.errors import SnnlabError, reason


def safe_load(path: Path, what: str, otherwise: str) -> Any:
    """The content of a file, in CPU memory.

    Args:
        path: the file.
        what: what it is for, such as `a checkpoint`.
        otherwise: the hint: what to do without it.

    Raises:
        SnnlabError: it is damaged, or holds more than tensors and plain values.
    """
    if path.is_file() and not path.stat().st_size:
        raise SnnlabError(f"cannot read {what.removeprefix('a ')} {path}: it is empty", otherwise)
    if (damaged := _damaged_record(path)) is not None:
        raise SnnlabError(f"{path} is damaged: the checksum of {damaged} in it is wrong", otherwise)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other forms of pickle, before the error about them
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's own words advise to load such a file without its protection.
        if isinstance(error, UnpicklingError) or "weights_only" in str(error):
            raise SnnlabError(
                f"{path} is refused as {what}: it is damaged, or holds more than tensors and plain values, "
                "which could run code when it is loaded",
                otherwise,
            ) from error
        # torch's own reading of a file that was cut raises an OSError, too, without a name.
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.filename is not None):
            raise SnnlabError(
                f"cannot read {what.removeprefix('a ')} {path}: {reason(error)}", otherwise
            ) from error
        # Whatever torch raises of such bytes, as KeyError: 101 of a text, says nothing about the file.
        raise SnnlabError(f"{path} is damaged, or no file that torch wrote", otherwise) from error


def _damaged_record(path: Path) -> str | None:
    """The first part of a file whose content has another checksum than stored; `torch.load` does not look at them."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip()
    # No zip, or one whose structure is damaged, which torch.load reports.
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None


def are_weights(content: Any) -> bool:
    """Whether this is a network's state: tensors by name."""
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    )
