"""A disk that is full at any moment: one error that names the file, no part of a file, and the command can be repeated.

The disk is a small tmpfs where that can be mounted, in a namespace of its own; else files may only have a size.
"""

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_kills import assert_is, rows, run_folder, straight, train  # noqa: F401

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
# As if the disk were full once this many bytes are written into one file.
LIMITED = "import resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, ({size}, r.RLIM_INFINITY)); "
LIMITED += "from snnlab.cli import main; sys.exit(main({words!r}))"


def limited(words: list[str], size: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED.format(size=size, words=words)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


@functools.cache
def can_mount() -> bool:
    """Whether a tmpfs can be mounted where nobody else sees it."""
    command = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def on_small_disk(
    words: list[str], place: Path, kilobytes: int, kept: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a command with a full disk at `place`; what is on it before and after is in `kept`."""
    kept.mkdir(exist_ok=True)
    place.mkdir(exist_ok=True)
    names = {name: shlex.quote(str(path)) for name, path in (("place", place), ("kept", kept))}
    script = (
        "mount -t tmpfs -o size=64m tmpfs {place} && cp -a {kept}/. {place} && "
        f"mount -o remount,size={kilobytes}k {{place}}; "
        f"{shlex.join([sys.executable, '-m', 'snnlab', *words])}; code=$?; cp -a {{place}}/. {{kept}}; exit $code"
    ).format(**names)
    command = ["unshare", "--mount", "--map-root-user", "bash", "-c", script]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


def assert_one_error(done: subprocess.CompletedProcess[str], place: Path) -> None:
    """Exit code 2, an error that names a file of the run, a hint, and nothing of Python's."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    error, hint = done.stderr.splitlines()[-2:]
    assert re.match(
        rf"error: {re.escape(str(place))}/\S+: (No space left on device|File too large)$", error
    ), error
    assert hint.startswith("hint: make room and repeat the command")
    assert not re.search(r"\.\d+: ", error), "a temporary name says nothing"


@pytest.mark.faults
def test_a_run_on_a_full_disk_names_the_file_and_continues(tmp_path: Path, straight: Path) -> None:  # noqa: F811
    """A limit below the size of a checkpoint; the run's other files are smaller."""
    done = limited(train(tmp_path), (straight / "checkpoints/last.pt").stat().st_size // 2)
    assert_one_error(done, tmp_path)
    assert not list(tmp_path.rglob(".*.pt.*"))
    again = subprocess.run(
        [sys.executable, "-m", "snnlab", *train(tmp_path)], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert_is(tmp_path, straight)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_files_that_can_have_no_more_than_a_share(tmp_path: Path, straight: Path, share: float) -> None:  # noqa: F811
    done = limited(train(tmp_path), int(share * (straight / "checkpoints/last.pt").stat().st_size))
    assert_one_error(done, tmp_path)
    assert [path for path in tmp_path.rglob(".*") if path.name != ".lock"] == []
    assert limited(train(tmp_path), 2**30).returncode == 0
    assert_is(tmp_path, straight)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.8, 1.1, 1.4, 1.8])
def test_a_disk_of_a_share_of_what_a_run_takes(tmp_path: Path, straight: Path, share: float) -> None:  # noqa: F811
    if not can_mount():
        pytest.skip("no tmpfs can be mounted here")
    size = sum(file.stat().st_size for file in straight.rglob("*") if file.is_file())
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    done = on_small_disk(train(disk), disk, max(8, int(share * size / 1024)), kept)
    if done.returncode:
        assert_one_error(done, disk)
    assert [path for path in kept.rglob(".*") if path.name != ".lock"] == []
    for file in kept.rglob("*.json"):
        json.loads(file.read_text())
    assert on_small_disk(train(disk), disk, 2**16, kept).returncode == 0
    assert_is(kept, straight)


MEASURES = {
    "eval": ["eval"],
    "analyse": ["analyse", "what=firing_rates"],
    "export": ["export", "format=safetensors"],
    "nir": ["export"],
    "report": ["report"],
}


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", MEASURES)
def test_measurements_and_pages_on_a_full_disk(tmp_path: Path, straight: Path, name: str) -> None:  # noqa: F811
    verb, *more = MEASURES[name]
    target = str(straight) if verb == "report" else f"run={straight}"
    before = {path: path.read_bytes() for path in straight.rglob("*") if path.is_file()}
    done = limited([verb, target, *more], 100)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: "), error
    assert str(straight) in error, error
    assert hint.startswith("hint: ")
    assert {path: path.read_bytes() for path in straight.rglob("*") if path.is_file()} == before
