"""The process that works in a run directory, as it is seen from outside: by its lock, its number, its heartbeat."""

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.errors import SnnlabError
from snnlab.leftovers import is_alive
from snnlab.locks import is_locked

BEAT_SECONDS = 30.0  # how often a run renews its status
# A run on another machine, whose lock may not be seen here, is taken for dead after so long without a heartbeat: one
# step, the compilation of the network included, takes less.
PATIENCE_SECONDS = 900.0


def holder(folder: Path, status: Mapping[str, Any]) -> str | None:
    """`process N on HOST` that works in the directory now, or None.

    Args:
        folder: the run directory.
        status: the content of its `status.json`.
    """
    locked = is_locked(folder / ".lock")
    if locked:
        return _written(folder / ".lock") or "another process"
    if status.get("status") != "running":
        return None
    pid, host, beat = (status.get(key) for key in ("pid", "host", "heartbeat"))
    here = host in (None, socket.gethostname())
    if here:
        lives = locked is None and isinstance(pid, int) and is_alive(pid)
    else:
        lives = isinstance(beat, int | float) and time.time() - beat < PATIENCE_SECONDS
    return f"process {pid} on {host}" if lives else None


def _written(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def refuse_in_use(folder: Path) -> None:
    """Stops if another process works in a run directory.

    Raises:
        SnnlabError: one does.
    """
    lock = folder / ".lock"
    if is_locked(lock):
        raise in_use(folder, lock.read_text(encoding="utf-8", errors="replace"))


def in_use(folder: Path, holder: str) -> SnnlabError:
    """The error for a run directory in which another process works."""
    return SnnlabError(
        f"{folder} is in use by {holder.strip() or 'another process'}",
        "wait until that run ends, or change a setting or the seed: each gets its own directory",
    )
