"""Writes files atomically: a reader finds the old or the new file, never a part of one. Errors name the file."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives the file's name to an OSError of the block: one of a full disk comes without, or with a temporary one.

    Raises:
        OSError: with the file's name.
    """
    try:
        yield
    except BaseException as error:
        # torch raises an error of its own in the place of the disk's.
        for one in (error, error.__context__):
            if isinstance(one, OSError):
                one.filename = str(path)
        raise


def temporary_name(path: Path) -> Path:
    """The name under which this process writes what will replace a file."""
    return path.with_name(f".{path.name}.{os.getpid()}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside the file; what is written there replaces the file once it is on the disk.

    Raises:
        OSError: it could not be written; the earlier file is still there, and no part is left behind.
    """
    temporary = temporary_name(path)
    try:
        with naming(path):
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a mapping as JSON, whole; a number that does not exist (NaN) becomes null."""
    write_text(path, json_text(value, indent=2) + "\n")


def json_text(value: Mapping[str, Any], indent: int | None = None) -> str:
    """A mapping as JSON, which has no NaN: a number that does not exist is null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
