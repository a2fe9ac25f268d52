"""Finds run directories below a folder, whole or damaged, without reading a file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

# A run that was killed before its first file, or has lost its configuration, has a lock or checkpoints.
MARKS = frozenset({"config.yaml", "status.json", "result.json", "checkpoints"})
DEPTH = 5


def run_folders(root: Path) -> list[Path]:
    """The run directory itself, or all below it, sorted; hidden folders and what lies in a run are left out.

    Raises:
        PermissionError: this user may not look into the folder; folders below it that are closed are passed over.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        os.scandir(root).close()
    return sorted(_below(root, DEPTH))


def named(folders: list[Path], root: Path, pattern: str) -> list[Path]:
    """The folders whose path below the root has a part like the pattern, in which `*` and `?` are placeholders."""
    return [one for one in folders if fnmatchcase(os.path.relpath(one, root), f"*{pattern}*")]


def folders_of(root: Path, patterns: Sequence[str]) -> list[Path]:
    """The runs that patterns name: below a folder, or with a part like it in their path below the root."""
    found: dict[Path, None] = {}
    below = None
    for pattern in patterns or (str(root),):
        folder = Path(pattern.removeprefix("paths.runs=")).expanduser()
        if folder.is_dir() and (inside := run_folders(folder)):
            found |= dict.fromkeys(inside)
            continue
        below = run_folders(root.expanduser()) if below is None else below
        found |= dict.fromkeys(named(below, root.expanduser(), pattern))
    return list(found)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    if any(one.name in MARKS for one in found):
        yield folder
    elif depth > 0:
        for one in found:
            if not one.name.startswith(".") and one.is_dir():
                yield from _below(folder / one.name, depth - 1)
