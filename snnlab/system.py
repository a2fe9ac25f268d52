"""What differs between systems and containers: the one list of it, and what is done where a piece is missing.

Needed, or no command starts (`missing`): POSIX signals, locks and processes, which Linux and macOS have.
Not needed:

    os.sched_getaffinity     `cores`: all of the machine's
    prctl(PR_SET_PDEATHSIG)  `die_with_parent`: PyTorch's loader workers look after their parent every few seconds
    mallopt                  `keep freed memory` (machine/allocator.py): the allocator stays as it is
    /proc/cpuinfo            kernels and benchmarks name the processor by `platform`
    a home directory         `provide_home`: a temporary one
    a user's name            `provide_home`: the number

A pending signal is dropped by ignoring it (data/workers.py); `sigtimedwait`, which macOS lacks, is not used.
"""

import ctypes
import importlib.util
import os
import signal
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import RLock

_NEEDED_MODULES = ("fcntl", "resource", "pwd")
_NEEDED_NAMES = ((os, "fork"), (os, "getuid"), (signal, "pthread_sigmask"), (signal, "SIGHUP"))
_PR_SET_PDEATHSIG = 1
_GPU_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")

STARTING = RLock()
"""Held while a process is started: one that is forked meanwhile would keep the pipe open by which that is told."""


def missing() -> list[str]:
    """What snnlab needs and this system does not have."""
    names = [f"{module.__name__}.{name}" for module, name in _NEEDED_NAMES if not hasattr(module, name)]
    return names + [name for name in _NEEDED_MODULES if importlib.util.find_spec(name) is None]


def cores() -> int:
    """The number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def gpu_there() -> bool:
    """Whether this process can be expected to see a GPU, found without torch: its driver is there, and not hidden."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    return not hidden and any(Path(name).exists() for name in _GPU_DRIVERS)


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies."""
    if (prctl := c_function("prctl")) is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def c_function(name: str) -> Callable[..., int] | None:
    """A function of the C library, or None."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    return found


def provide_home() -> None:
    """Sets HOME and LOGNAME where the user has none, as in containers that run under any number.

    Many packages ask for them, and fail. It changes the environment, so only commands call it, never the library.
    """
    if not _has_home():
        os.environ["HOME"] = str(_temporary_home())
    if not any(os.environ.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME")):
        try:
            import pwd

            pwd.getpwuid(os.getuid())
        except (KeyError, ImportError):
            os.environ["LOGNAME"] = f"user{os.getuid()}"


def home() -> Path:
    """The user's home directory; where there is none, a temporary directory of the user's own."""
    return Path.home() if _has_home() else _temporary_home()


def cache_home() -> Path:
    """The folder of the user's caches: `$XDG_CACHE_HOME` or `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache")


def _has_home() -> bool:
    """Whether there is a directory that is more than the root, which containers give to users that they do not know."""
    try:
        found = Path.home()
        return found.is_dir() and (found != Path(found.anchor) or os.access(found, os.W_OK))
    except (RuntimeError, KeyError, OSError):
        return False


@cache
def _temporary_home() -> Path:
    """The same directory for all processes of this user, but only if nobody else can have made or changed it."""
    folder = Path(tempfile.gettempdir()) / f"snnlab-user{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="snnlab-"))
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if ours else Path(tempfile.mkdtemp(prefix="snnlab-"))
