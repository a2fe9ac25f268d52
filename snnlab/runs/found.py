"""Finds run directories below a folder, whole or damaged, without reading a file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

# A run that was killed before its first file, or has lost its configuration, has a lock or checkpoints.
MARKS = frozenset({"config.yaml", "status.json", "result.json", "checkpoints"})
DEPTH = 5


@dataclass(frozen=True)
class _Found:
    """A run directory: the way to it, whether that leads through a link below where the search began, and itself."""

    folder: Path
    by_link: bool

    @cached_property
    def real(self) -> str:
        return os.path.realpath(self.folder)


def run_folders(root: Path) -> list[Path]:
    """The run directory itself, or all below it, sorted; hidden folders and what lies in a run are left out.

    Links are followed, and a run to which several ways lead is there once, by the way without a link if there is one.

    Raises:
        PermissionError: this user may not look into the folder; folders below it that are closed are passed over.
    """
    return _once(_all(root))


def folders_of(root: Path, patterns: Sequence[str]) -> list[Path]:
    """The runs that patterns name: below a folder, or with a part like it in their path below the root."""
    found: list[_Found] = []
    below = None
    for pattern in patterns or (str(root),):
        folder = Path(pattern.removeprefix("paths.runs=")).expanduser()
        if folder.is_dir() and (inside := _all(folder)):
            found += inside
            continue
        below = _all(root.expanduser()) if below is None else below
        found += [one for one in below if _is_like(os.path.relpath(one.folder, root.expanduser()), pattern)]
    return _once(found)


def _is_like(path: str, pattern: str) -> bool:
    return fnmatchcase(path, f"*{pattern}*")


def _once(found: list[_Found]) -> list[Path]:
    """Each run once, in the order given."""
    way: dict[str, Path] = {}
    for one in sorted(found, key=lambda one: one.by_link):
        way.setdefault(one.real, one.folder)
    return list(dict.fromkeys(one.folder for one in found if way[one.real] == one.folder))


def _all(root: Path) -> list[_Found]:
    with suppress(FileNotFoundError, NotADirectoryError):
        os.scandir(root).close()
    return sorted(_below(root, DEPTH, False, ()), key=lambda one: one.folder)


def _below(folder: Path, depth: int, by_link: bool, above: tuple[str, ...]) -> Iterator[_Found]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    if any(one.name in MARKS for one in found):
        yield _Found(folder, by_link)
        return
    real = os.path.realpath(folder)
    if depth == 0 or real in above:  # a link that leads back to where it is
        return
    for one in found:
        if not one.name.startswith(".") and one.is_dir():
            is_link = by_link or one.is_symlink()
            yield from _below(folder / one.name, depth - 1, is_link, (*above, real))
