"""Unpacks archives that the user put into a data set's folder: once, and all or nothing."""

import logging
import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from snnlab.data.foreign import reading
from snnlab.data.unpack import unpack
from snnlab.leftovers import remove_leftovers
from snnlab.locks import folder_lock

_log = logging.getLogger(__name__)


def unpack_archives(folder: Path, patterns: Sequence[str]) -> None:
    """Unpacks the archives in a folder that match, next to themselves, and archives inside of them, too.

    An archive is unpacked under a temporary name; its content is moved into place when it is complete, and an
    empty file `.<archive>.unpacked` marks it as done. A process that finds another at it waits for that one.

    Raises:
        DataError: an archive is damaged, or not one of a data set (`data/unpack.py`).
    """
    if not packed(folder, patterns):
        return
    waiting = partial(_log.warning, "another process is unpacking archives in %s; waiting for it", folder)
    with folder_lock(folder, waiting):
        remove_leftovers(folder.glob(".unpacking-*"))
        for archive in packed(folder, patterns):
            _log.warning("unpacking %s", archive)
            temporary = folder / f".unpacking-{archive.name}-{os.getpid()}"
            try:
                with reading(archive, "download it again", "is damaged"):
                    unpack(archive, temporary)
                    for entry in sorted(temporary.iterdir()):
                        _merge(entry, folder / entry.name)
                    _done(archive).touch()
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def packed(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The archives that are still to be unpacked."""
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]
    return [archive for archive in found if not _done(archive).exists()]


def _done(archive: Path) -> Path:
    return archive.with_name(f".{archive.name}.unpacked")


def _merge(source: Path, target: Path) -> None:
    """Moves a file or a folder; existing folders are merged, existing files are kept."""
    if source.is_dir() and target.is_dir():
        for entry in source.iterdir():
            _merge(entry, target / entry.name)
    elif not target.exists():
        source.rename(target)
