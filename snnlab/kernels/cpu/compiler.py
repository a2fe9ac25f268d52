"""Builds C++ sources into libraries, once for each machine: they are kept in the user's cache."""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

# No contraction into fused multiply-adds: a vector's lanes and its remainder must round alike.
_FLAGS = ("-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno")


class BuildError(Exception):
    """A source cannot be built here; the message says why, as half a sentence."""


def library(source: str) -> ctypes.CDLL:
    """The loaded library of a C++ source.

    Raises:
        BuildError: no compiler, or it fails.
    """
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise BuildError("there is no C++ compiler (c++, g++ or $CXX)")
    key = "\n".join((source, compiler, *_FLAGS, _machine()))
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.so"
    file = _folder() / name
    if not file.exists():
        _build(compiler, source, file)
    return ctypes.CDLL(str(file))


def _build(compiler: str, source: str, file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        code, built = Path(folder) / "kernel.cpp", Path(folder) / "kernel.so"
        code.write_text(source)
        command = (compiler, *_FLAGS, str(code), "-o", str(built))
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"the C++ compiler does not run: {error}") from error
        if done.returncode:
            raise BuildError(f"the C++ compiler fails: {_first_error(done.stderr)}")
        os.replace(built, file)


def _first_error(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line] or text.splitlines() or ["no message"]
    return lines[0].strip()


@functools.cache
def _folder() -> Path:
    """`$XDG_CACHE_HOME/snnlab/kernels`, or a folder for this process where that cannot be written."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "snnlab" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="snnlab-kernels-"))


@functools.cache
def _machine() -> str:
    """What `-march=native` depends on: homes are shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return platform.machine() + "".join(
        sorted({line for line in lines if line.startswith(("flags", "Features"))})
    )
