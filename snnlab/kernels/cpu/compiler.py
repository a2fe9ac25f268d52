"""Compiles C++ sources into shared libraries, once for each machine, and keeps them in the user's cache.

The cache is bounded: after a build, the least recently loaded libraries are removed.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

from snnlab.system import STARTING, cache_home

# No contraction into fused multiply-adds: a vector's lanes and its remainder must round alike.
_FLAGS = ("-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno")


MOST_FILES, MOST_BYTES = 256, 200 * 10**6
"""Bounds of the cache; a library takes 20 to 40 kB."""


_ATTEMPTS = 3  # another process may remove a library before it is loaded

_locks: dict[str, Lock] = {}  # of libraries
_locks_lock = Lock()


class BuildError(Exception):
    """A source cannot be compiled on this machine; the message gives the reason as a clause."""


def library(source: str) -> ctypes.CDLL:
    """Compiles a C++ source unless it is cached, and returns the loaded library.

    Raises:
        BuildError: there is no compiler, it fails, or the library cannot be loaded.
    """
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise BuildError("there is no C++ compiler (c++, g++ or $CXX)")
    key = "\n".join((source, compiler, *_FLAGS, _machine()))
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.so"
    file = _folder() / name
    with _locks_lock:
        lock = _locks.setdefault(name, Lock())
    with lock:  # another thread may be building it
        loaded = _load(file)
        for _ in range(_ATTEMPTS):
            if loaded is not None:
                return loaded
            _build(compiler, source, file)
            loaded = _load(file)
            remove_unused(file.parent, keep=file)
    if loaded is None:
        raise BuildError(f"the built library {file} cannot be loaded")
    return loaded


def _load(file: Path) -> ctypes.CDLL | None:
    """Loads the library in a file and marks it as used last; None if it is absent or another process removed it."""
    try:
        os.utime(file)
        return ctypes.CDLL(str(file))
    except OSError:
        return None


def remove_unused(folder: Path, keep: Path) -> None:
    """Removes the least recently used libraries from a cache of more than `MOST_FILES` or `MOST_BYTES`.

    Other processes may do so at the same time: files that have disappeared are skipped, and a loaded library stays
    usable without its file.
    """
    found = []
    for file in folder.glob("*.so"):
        with suppress(FileNotFoundError):
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_size, file))
    count, size = 0, 0
    for _, bytes_, file in sorted(found, reverse=True):
        count, size = count + 1, size + bytes_
        if (count > MOST_FILES or size > MOST_BYTES) and file != keep:
            file.unlink(missing_ok=True)


def _build(compiler: str, source: str, file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        code, built = Path(folder) / "kernel.cpp", Path(folder) / "kernel.so"
        code.write_text(source)
        command, said = (compiler, *_FLAGS, str(code), "-o", str(built)), Path(folder) / "said.txt"
        try:
            with said.open("w") as errors, STARTING:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
            with process:
                try:
                    failed = process.wait(timeout=120)
                finally:
                    process.kill()  # nothing, if it has ended
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"the C++ compiler does not run: {error}") from error
        if failed:
            raise BuildError(f"the C++ compiler fails: {_first_error(said.read_text(errors='replace'))}")
        os.replace(built, file)


def _first_error(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line] or text.splitlines() or ["no message"]
    return lines[0].strip()


@functools.cache
def _folder() -> Path:
    """Returns `$XDG_CACHE_HOME/snnlab/kernels`, or a temporary folder of this process if that is not writable."""
    folder = cache_home() / "snnlab" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="snnlab-kernels-"))


@functools.cache
def _machine() -> str:
    """Returns what `-march=native` depends on, since several machines may share a home directory."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return platform.machine() + "".join(
        sorted({line for line in lines if line.startswith(("flags", "Features"))})
    )
