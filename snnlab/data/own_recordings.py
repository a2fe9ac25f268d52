"""Reads a recording of one's own in any of the formats that are known."""

from collections.abc import Callable
from pathlib import Path

from snnlab.data import aedat, event_tables, prophesee, readers
from snnlab.data.foreign import reading
from snnlab.data.frames import Events
from snnlab.data.raw_events import Meaning, RawEvents, as_events
from snnlab.errors import DataError, SnnlabError
from snnlab.packages import MissingPackageError

_HINT = "is it a whole recording? docs/own_data.md lists the formats"

_TABLES: dict[str, Callable[[Path, str | None], RawEvents]] = {
    ".npy": event_tables.read_numpy,
    ".npz": event_tables.read_zipped,
    ".h5": event_tables.read_hdf5,
    ".hdf5": event_tables.read_hdf5,
    ".csv": event_tables.read_text,
    ".txt": event_tables.read_text,
    ".mat": event_tables.read_matlab,
}
_CAMERAS: dict[str, Callable[[Path], RawEvents]] = {
    ".aedat": aedat.read_aedat,
    ".aedat4": lambda path: _of_events(readers.read_aedat4(path)),
    ".dat": prophesee.read_dat,
    ".raw": prophesee.read_raw,
    ".bin": lambda path: _of_events(readers.read_saccades(path)),
}
ENDINGS = (*_TABLES, *_CAMERAS)


def read_raw(path: Path, columns: str | None) -> RawEvents:
    """What a file holds; `columns` is the order of columns without names.

    Raises:
        DataError: it is damaged, holds no events, or does not say what its columns are; the message names the file.
    """
    ending = path.suffix.lower()
    try:
        with reading(path, _HINT):
            return _TABLES[ending](path, columns) if ending in _TABLES else _CAMERAS[ending](path)
    except SnnlabError as error:
        raise _naming(path, error) from error


def read_own(path: Path, columns: str | None, meaning: Meaning) -> Events:
    """The events of a recording.

    Raises:
        DataError: as `read_raw`, or its numbers make no sense, see `as_events`.
    """
    raw = read_raw(path, columns)
    try:
        with reading(path, _HINT):
            return as_events(raw, meaning)
    except SnnlabError as error:
        raise _naming(path, error) from error


def _naming(path: Path, error: SnnlabError) -> SnnlabError:
    if isinstance(error, MissingPackageError) or str(path) in error.message:
        return error
    return DataError(f"{path}: {error.message}", error.hint)


def _of_events(events: Events) -> RawEvents:
    return RawEvents(events.x, events.y, events.p, events.t, "us")
