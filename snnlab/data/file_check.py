"""What `snnlab data verify` says of files, and of the frames that were made of recordings."""

import os
from collections.abc import Callable, Sequence

from snnlab.data.cache import FrameCache, files_hash
from snnlab.data.files import Recording
from snnlab.data.track import track
from snnlab.data.workers import read_ahead

_MANY = 2000


def reading_workers(count: int) -> int:
    """The number of worker processes that read so many files; 0: this process reads them."""
    return min(8, os.cpu_count() or 1) if count >= _MANY else 0


def changed(cache: FrameCache, recordings: Sequence[Recording], stamps: Sequence[str]) -> str:
    """What distinguishes recordings from those that a cache was made of; empty if nothing does.

    Args:
        cache: the frames.
        recordings: those that are there.
        stamps: name, size and modification time of each.
    """
    if len(cache.names) != len(recordings):
        return f"was made of {len(cache.names)} recordings, now there are {len(recordings)}"
    if cache.manifest["files_sha256"] != files_hash(stamps):
        return "was made of recordings that have changed since"
    if cache.labels.tolist() != [recording.label for recording in recordings]:
        return "was made of recordings with other classes"
    return ""


def made_of(cache: FrameCache, there: bool) -> str:
    """What a cache was made of and with which settings, in words.

    Args:
        cache: the frames.
        there: the recordings are there, and unchanged.
    """
    empty = f", {len(cache.empty):,} of them empty" if cache.empty else ""
    settings = ", ".join(f"{key}={value}" for key, value in sorted(cache.manifest["parameters"].items()))
    recordings = f"{len(cache.names):,} recordings{' that are there' if there else ''}"
    return f"{cache.folder.name}: of {recordings}{empty} ({settings})"


def unreadable(problem: Callable[[int], str], count: int, name: str) -> list[str]:
    """What is wrong with each file that cannot be read.

    Args:
        problem: what is wrong with the file of this index; empty if nothing is. A second line is what to do about it,
            which is said of the first file, as the others tend to have the same fault.
        count: number of files.
        name: of the data set.
    """
    found = read_ahead(problem, range(count), reading_workers(count))
    problems = [one.partition("\n") for one in track(found, count, f"reading {name}") if one]
    return [f"{said}; {hint}" if hint and not k else said for k, (said, _, hint) in enumerate(problems)]
