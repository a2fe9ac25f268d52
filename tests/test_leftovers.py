"""What killed processes leave is removed under the lock, and nothing else is."""

import os
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from snnlab.data.archives import unpack_archives
from snnlab.data.cache import build_cache
from snnlab.leftovers import is_alive, remove_leftovers
from snnlab.runs.files import RunFiles

WRITE = """
import sys
from pathlib import Path
from snnlab.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_only_what_ends_in_the_number_of_an_ended_process_is_removed(tmp_path: Path, dead: int) -> None:
    stays = [".last.pt", "last.pt", ".lock", f".last.pt.{os.getppid()}", f".{dead}.pt", ".last.pt.1"]
    for name in [*stays, f".last.pt.{dead}", f".a-{dead}", f".a-{dead}-old", f".b.{os.getpid()}"]:
        (tmp_path / name).touch()
    (tmp_path / f".folder-{dead}").mkdir()
    (tmp_path / f".link-{dead}").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / f".huge.{'9' * 30}").touch()
    remove_leftovers(tmp_path.iterdir(), of_this_number=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*stays, f".b.{os.getpid()}"])
    remove_leftovers(tmp_path.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stays)


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path, dead: int) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / f".link-{dead}").symlink_to(tmp_path / "kept", target_is_directory=True)
    remove_leftovers(tmp_path.iterdir())
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "file"]


def test_of_a_killed_writer(tmp_path: Path) -> None:
    """A real one: the next holder of the run directory removes what it was writing."""
    file = tmp_path / "checkpoints/last.pt"
    file.parent.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        left = file.with_name(f".{file.name}.{process.pid}")
        with RunFiles(tmp_path):
            assert left.exists(), "its process lives"
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    (tmp_path / f".result.json.{process.pid}").touch()
    with RunFiles(tmp_path):
        assert list(tmp_path.rglob(f"*{process.pid}")) == []


def test_of_a_killed_unpacking(tmp_path: Path, dead: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d/1", "x")
    lives = f".unpacking-a.zip-{os.getppid()}"
    for name in (f".unpacking-a.zip-{dead}", f".unpacking-other.tar.gz-{dead}", lives):
        (tmp_path / name / "d").mkdir(parents=True)
    unpack_archives(tmp_path, ["*.zip"])
    assert [path.name for path in tmp_path.glob(".unpacking-*")] == [lives]
    assert (tmp_path / "d/1").read_text() == "x"


def test_of_a_killed_build_of_another_cache(tmp_path: Path, dead: int) -> None:
    here = socket.gethostname()
    stays = [f"frames-b.tmp-{here}-{os.getppid()}", f"frames-b.tmp-elsewhere-{dead}", "frames-b"]
    for name in [*stays, f"frames-a.tmp-{here}-{dead}", f"frames-b.tmp-{here}-{dead}"]:
        (tmp_path / name).mkdir()
    frames = np.zeros((1, 1, 2, 3, 3), np.uint8)
    build_cache(tmp_path / "frames-a", ["n"], ["n"], [0], (1, 2, 3, 3), lambda index: frames, {})
    assert sorted(path.name for path in tmp_path.glob("frames-*")) == sorted([*stays, "frames-a"])


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 10**30])
def test_no_process_has_such_a_number(pid: int) -> None:
    assert not is_alive(pid)
    assert is_alive(os.getpid())


UNPACK = """
import sys, time
from pathlib import Path
import snnlab.data.archives as archives
unpack = archives.unpack
def slow(archive, folder):
    print("unpacks", flush=True)
    time.sleep(0.5)
    unpack(archive, folder)
archives.unpack = slow
archives.unpack_archives(Path(sys.argv[1]), ["*.zip"])
"""


def test_two_processes_unpack_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d/1", "x")
    command = [sys.executable, "-c", UNPACK, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert "".join(one.communicate()[0] for one in both) == "unpacks\n"
    assert [one.returncode for one in both] == [0, 0]
