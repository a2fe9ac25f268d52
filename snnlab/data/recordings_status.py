"""What is there of a data set of event recordings: the recordings, or at least their frames."""

from collections.abc import Callable, Sequence
from pathlib import Path

from snnlab.data.cache import open_cache
from snnlab.data.dataset import Status
from snnlab.data.files import NotThereError, Recording
from snnlab.data.labels import absent_classes
from snnlab.errors import DataError


def recordings_status(
    find: Callable[[], list[Recording]], folder: Path, expected: int | None, class_names: Sequence[str]
) -> Status:
    """Looks for recordings and for the cache of their frames, and changes nothing.

    Args:
        find: gives the recordings.
        folder: where the cache of the configuration would be.
        expected: number of published recordings.
        class_names: the classes.
    """
    cache = open_cache(folder)
    cached = cache is not None
    try:
        recordings = find()
    except DataError as error:
        count = None if cache is None else len(cache.names)
        damaged = not isinstance(error, NotThereError)
        note = "frames are cached, recordings are gone" if cached else error.hint
        note = f"{error.message}; {error.hint}" if damaged else note
        return Status(cached, None, count, expected, folder, cached, note, damaged)
    note = ""
    if expected is not None and len(recordings) < expected:
        note = f"a subset, {len(recordings)} of {expected} published recordings"
    absent = absent_classes([recording.label for recording in recordings], class_names)
    if absent:
        note = f"{note}; " * bool(note) + f"no recording of {absent}"
    where = recordings[0].path.parents[recordings[0].name.count("/")]
    return Status(True, where, len(recordings), expected, folder, cached, note)
