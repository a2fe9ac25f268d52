"""The folders of data sets and of their caches."""

import os
from collections.abc import Iterable
from pathlib import Path

from snnlab.system import cache_home
from snnlab.writable import why_not


def cache_parent(root: Path, name: str) -> Path:
    """The folder of a data set's caches.

    `$SNNLAB_CACHE/<name>` where that variable is set; else `<root>/<name>`; else, where that is read-only,
    `~/.cache/snnlab/<name>`.
    """
    chosen = os.environ.get("SNNLAB_CACHE")
    if chosen:
        return Path(chosen) / name
    if not why_not(root / name):
        return root / name
    return cache_home() / "snnlab" / name


def first_folder(candidates: Iterable[Path]) -> Path | None:
    """The first of these folders that exists."""
    return next((folder for folder in candidates if folder.is_dir()), None)
