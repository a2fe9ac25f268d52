"""Leaves out the pictures that cannot be read. They are read once; what was found is kept with the data's caches."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from snnlab.atomic import write_text
from snnlab.data.cache import files_hash
from snnlab.data.file_check import reading_workers
from snnlab.data.foreign import reading
from snnlab.data.image_files import Opened
from snnlab.data.places import cache_parent
from snnlab.data.track import track
from snnlab.data.workers import read_ahead

_log = logging.getLogger(__name__)
Labelled = list[tuple[str, int]]


def whole_files(
    files: Labelled, root: Path, folder: Path, name: str, part: str
) -> tuple[Labelled, list[str]]:
    """The pictures that can be read, and the names of the others.

    Args:
        files: paths and labels.
        root: folder of all data sets.
        folder: of this data set, below which names are given.
        name: of the data set.
        part: of the data set; each has a list of its own.

    Raises:
        DataError: the folder cannot be read.
    """
    paths = [path for path, _ in files]
    names = [Path(path).relative_to(folder).as_posix() for path in paths]
    with reading(folder):
        stamps = [_stamp(one, path) for one, path in zip(names, paths, strict=True)]
    kept = cache_parent(root, name) / f"broken-{part}-{files_hash(stamps)[:12]}.json"
    broken = _stored(kept, len(paths))
    if broken is None:
        found = read_ahead(Opened(paths), range(len(paths)), reading_workers(len(paths)))
        broken = [i for i, one in enumerate(track(found, len(paths), f"reading {name}")) if one]
        _store(kept, broken)
    left_out = set(broken)
    return [one for i, one in enumerate(files) if i not in left_out], [names[i] for i in broken]


def _stamp(name: str, path: str) -> str:
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        return f"{name}\tgone"
    return f"{name}\t{state.st_size}\t{state.st_mtime_ns}"


def _stored(kept: Path, count: int) -> list[int] | None:
    try:
        found = json.loads(kept.read_text())
    except (OSError, ValueError):
        return None
    valid = isinstance(found, list) and all(type(i) is int and 0 <= i < count for i in found)
    return found if valid else None


def _store(kept: Path, broken: Sequence[int]) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps(broken))
    except OSError as error:
        _log.warning("the list of broken pictures cannot be kept: %s", error)
