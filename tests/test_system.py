"""What Linux has and others lack, and what a container lacks, taken away one by one and all together."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab import system
from snnlab.cli import main
from snnlab.machine import allocator

# Installed as sitecustomize: a system without what only Linux has, and a user without a name or a home.
BARE = """
import ctypes, os, pwd, signal, multiprocessing
multiprocessing.set_start_method("spawn")  # as on macOS
for module, name in ((signal, "sigtimedwait"), (signal, "sigwaitinfo"), (os, "sched_getaffinity"), (os, "setpgid")):
    if hasattr(module, name):
        delattr(module, name)
def unknown(number):
    raise KeyError(number)
pwd.getpwuid = unknown
class Library(ctypes.CDLL):
    def __getattr__(self, name):
        if name in ("mallopt", "prctl"):
            raise AttributeError(name)
        return super().__getattr__(name)
ctypes.CDLL = Library
"""
TRAIN = (
    *("+experiment=quickstart", "num_steps=2", "model.channels=[4,4,4,4]", "trainer.synthetic=true"),
    *("trainer.epochs=1", "trainer.max_steps=2", "trainer.batch_size=8", "trainer.num_workers=1"),
    *("trainer.plots=false", "trainer.progress=none"),
)


@pytest.mark.slow
def test_a_run_with_workers_needs_nothing_that_only_linux_has(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BARE)
    root = Path(__file__).resolve().parents[1]
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")}
    bare |= {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}", "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "snnlab", "train", *TRAIN, f"paths.runs={tmp_path / 'runs'}"]
    done = subprocess.run(command, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("runs/*/*/seed0/result.json"))) == 1


@pytest.mark.parametrize(("module", "name"), [(os, "fork"), (signal, "pthread_sigmask"), (signal, "SIGHUP")])
def test_a_system_without_what_is_needed_is_refused_at_the_start(
    module: object, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(module, name)
    assert main(["list"]) == 2
    assert f"this system has no {module.__name__}.{name}" in capsys.readouterr().err  # type: ignore[attr-defined]


def test_cores_without_affinity_are_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert system.cores() == os.cpu_count()


def test_without_functions_of_linux_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(allocator, "_state", "as it was")
    system.die_with_parent()
    allocator.keep_freed_memory()
    assert allocator.allocator_state() != "allocator keeps freed memory"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without name, home and caches; the place of temporary files."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    system._temporary_home.cache_clear()
    yield tmp_path
    system._temporary_home.cache_clear()


def test_who_has_no_home_and_no_name_gets_both(nobody: Path) -> None:
    system.provide_home()
    assert Path.home().parent == nobody
    assert Path.home().stat().st_mode & 0o777 == 0o700
    assert os.environ["LOGNAME"] == f"user{os.getuid()}"
    assert system.cache_home() == Path.home() / ".cache"


def test_the_library_finds_a_home_without_changing_the_environment(nobody: Path) -> None:
    assert system.home().parent == nobody
    assert "HOME" not in os.environ


def test_a_temporary_home_that_others_can_change_is_not_taken(nobody: Path) -> None:
    planted = nobody / f"snnlab-user{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert system.home() != planted
