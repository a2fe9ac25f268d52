"""What killed processes leave beside a file: temporary files and folders whose names end in a process number."""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# `.last.pt.4711`, `.unpacking-a.zip-4711`, `frames-1a2b3c.tmp-host-4711`, and what such a folder replaced
_NUMBER = re.compile(r"[.-](\d+)(-old)?$")


def remove_leftovers(found: Iterable[Path], *, of_this_number: bool = True) -> None:
    """Removes the files and folders among these whose process has ended. What cannot be removed stays.

    Call it with the lock held under which such files are written, and before this process writes any.

    Args:
        found: paths whose names end in the number of the process that wrote them; others are left alone.
        of_this_number: also those with the number of this process: in a container, a process may have the number of
            the one that was killed before it.
    """
    for path in left_behind(found, of_this_number=of_this_number):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def left_behind(found: Iterable[Path], *, of_this_number: bool = True) -> list[Path]:
    """Those among these files and folders whose process has ended; arguments as of `remove_leftovers`."""
    return [path for path in found if (pid := _number_in(path)) and _has_ended(pid, of_this_number)]


def _number_in(path: Path) -> int | None:
    number = _NUMBER.search(path.name)
    return None if number is None else int(number[1])


def _has_ended(pid: int, of_this_number: bool) -> bool:
    return of_this_number if pid == os.getpid() else not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError, ValueError):
        return False
    except PermissionError:  # another user's
        return True
    return True
