"""What can be removed from the disk without losing a result, and how it is removed."""

import os
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from snnlab.data.cache import is_of_this_version
from snnlab.errors import SnnlabError
from snnlab.leftovers import left_behind
from snnlab.locks import is_locked
from snnlab.runs.files import RunFiles
from snnlab.runs.overview import run_line, size_of
from snnlab.runs.results import running_in
from snnlab.runs.strip import optimizer_bytes, strip

Kind = Literal["optimiser", "dead", "leftover", "cache"]
KINDS: tuple[Kind, ...] = ("optimiser", "dead", "leftover", "cache")
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Removable:
    """Something that takes space and is not needed.

    Attributes:
        kind: the optimiser's state of a finished run, a dead run, a leftover of a killed process, a cache of frames.
        path: the run directory, file or folder.
        size: bytes that its removal frees.
        note: what it is, in a few words.
        status: of a run, the content of `status.json` when it was looked at.
    """

    kind: Kind
    path: Path
    size: int
    note: str
    status: bytes = b""


def in_runs(folders: Sequence[Path]) -> Iterator[Removable]:
    """What can be removed from these run directories; one that runs is left alone."""
    for folder in folders:
        status, line = _status(folder), run_line(folder)
        if line.state == "running":
            continue
        if line.state == "dead":
            note = f"dead run, epoch {line.epoch} of {line.epochs or '?'}"
            yield Removable("dead", folder, line.bytes, note, status)
            continue
        if line.state == "finished" and (count := optimizer_bytes(folder)):
            yield Removable("optimiser", folder, count, "optimiser state of a finished run", status)
        for path in left_behind([*folder.glob(".*.*"), *(folder / "checkpoints").glob(".*.*")]):
            yield Removable("leftover", path, _size(path), "left by a killed process")


def in_data(roots: Sequence[Path], unused_days: float | None = None) -> Iterator[Removable]:
    """Caches of frames that no version opens, parts of caches, and whole ones that nobody has read for so many days."""
    for root in dict.fromkeys(one.absolute() for one in roots):
        for path in left_behind(root.glob(f"*/frames-*.tmp-{socket.gethostname()}-*"), of_this_number=False):
            yield Removable("leftover", path, _size(path), "part of a cache, left by a killed process")
        for folder in sorted(root.glob("*/frames-????????????")):
            if is_locked(folder.with_name(f".{folder.name}.lock")):
                continue
            days = _days_unused(folder)
            if days is None or not is_of_this_version(folder):
                yield Removable(
                    "cache", folder, size_of(folder), "cache that is not whole, or of an earlier version"
                )
            elif unused_days is not None and days >= unused_days:
                yield Removable("cache", folder, size_of(folder), f"cache, unread for {days:.0f} days")


def remove(one: Removable) -> None:
    """Removes it, a run's part with the run's lock held.

    Raises:
        SnnlabError: the run has been taken by a process, or has changed, since it was looked at.
        OSError: it cannot be removed.
    """
    if one.kind not in ("optimiser", "dead"):
        shutil.rmtree(one.path) if one.path.is_dir() else one.path.unlink(missing_ok=True)
        return
    if running_in(one.path) is not None:
        raise SnnlabError(f"{one.path} runs again", "look again: snnlab clean")
    with RunFiles(one.path):
        if _status(one.path) != one.status:
            raise SnnlabError(f"{one.path} has changed", "look again: snnlab clean")
        if one.kind == "optimiser":
            strip(one.path)
        else:
            shutil.rmtree(one.path)
            with suppress(OSError):  # other seeds are in it
                one.path.parent.rmdir()


def _status(folder: Path) -> bytes:
    try:
        return (folder / "status.json").read_bytes()
    except OSError:
        return b""


def _days_unused(folder: Path) -> float | None:
    """Days since a cache was written or read; None if it has no frames."""
    try:
        state = os.stat(folder / "frames.npy")
    except OSError:
        return None
    return (time.time() - max(state.st_atime, state.st_mtime)) / DAY_SECONDS


def _size(path: Path) -> int:
    if path.is_dir():
        return size_of(path)
    with suppress(OSError):
        return path.stat().st_size
    return 0
