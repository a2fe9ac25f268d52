"""Locks on files that the kernel frees when their holder dies; where a file system has none, one warning, and on.

`flock` and not `lockf`: a record lock is lost when any other descriptor of the file is closed.
"""

import errno
import fcntl
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ENOTSUPP = 524  # what some network file systems answer; the errno module does not know it
# EBADF is the answer of network file systems about a folder, which cannot be open for writing.
NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, ENOTSUPP})


def lock(file: IO[Any], *, wait: bool = False) -> bool:
    """Locks an open file for this process alone; False if another process holds it.

    Args:
        file: open for writing; closing it frees the lock.
        wait: wait until the lock is free.
    """
    return _lock(file.fileno(), str(file.name), wait)


@contextmanager
def folder_lock(folder: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Locks a folder for this process alone, and leaves no file in it; waits until the lock is free.

    Args:
        folder: exists.
        waiting: called where another process holds the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _lock(descriptor, str(folder), wait=False):
            waiting()
            _lock(descriptor, str(folder), wait=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, name: str, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno == errno.EACCES:
            return False
        if error.errno not in NO_LOCKS:
            raise
        warnings.warn(
            f"no locks on the file system of {name}: start one process at a time there", stacklevel=3
        )
    return True


def is_locked(path: Path) -> bool | None:
    """Whether a process holds a file's lock; None where that cannot be told. For a moment it is locked for readers."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        return True if error.errno == errno.EACCES and os.access(path, os.R_OK) else None
    return False
