"""`snnlab clean`: what it lists, what it removes with --yes, and what it never touches."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.data.cache import cache_folder
from snnlab.runs.files import RunFiles
from snnlab.runs.strip import optimizer_bytes, strip
from snnlab.runs.verify import verify
from snnlab.runs.weights import identity_of_run
from tests.data.test_cache import build
from tests.runs.test_overview import GONE, make
from tests.train.test_recipe import assert_same


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    monkeypatch.delenv("SNNLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def dead_number() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_nothing_is_removed_without_yes(here, capsys, dead_number):
    finished = make(here / "runs", "a/seed0")
    dead = make(here / "runs", "b/seed0", status=GONE)
    (finished / f".result.json.{dead_number}").write_text("half")
    (finished / f"checkpoints/.last.pt.{dead_number}").write_text("half")
    before = names(here)
    assert main(["clean"]) == 0
    out = capsys.readouterr().out
    assert "optimiser state of a finished run" in out
    assert f"{dead.relative_to(here)}  (dead run, epoch 2 of 2)" in out
    assert out.count("left by a killed process") == 2
    assert "kB in all; snnlab clean --yes removes these 4" in out
    assert names(here) == before
    assert main(["clean", "--yes"]) == 0
    assert "kB (4 removed)" in capsys.readouterr().out
    assert not dead.parent.exists()
    assert optimizer_bytes(finished) == 0
    assert not list(finished.rglob(f"*.{dead_number}"))
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"


def test_a_stripped_run_is_whole_and_keeps_its_weights_and_its_identity(here):
    folder = make(here / "runs", "a/seed0")
    content = torch.load(folder / "checkpoints/last.pt", weights_only=True)
    findings, identity = verify(folder), identity_of_run(folder, "last", "init.run")
    assert optimizer_bytes(folder) > 0
    size = (folder / "checkpoints/last.pt").stat().st_size
    assert main(["clean", "--yes"]) == 0
    left = torch.load(folder / "checkpoints/last.pt", weights_only=True)
    assert left["learner"].pop("optimizer") is None
    del content["learner"]["optimizer"]
    assert_same(left, content)
    assert (folder / "checkpoints/last.pt").stat().st_size < size
    assert verify(folder) == findings
    assert identity_of_run(folder, "last", "init.run") == identity


def test_a_checkpoint_that_is_not_the_stripped_one_has_its_own_identity(here):
    folder = make(here / "runs", "a/seed0")
    identity = identity_of_run(folder, "last", "init.run")
    strip(folder)
    content = torch.load(folder / "checkpoints/last.pt", weights_only=True)
    torch.save({**content, "more": 1}, folder / "checkpoints/last.pt")
    assert identity_of_run(folder, "last", "init.run") != identity
    (folder / "checkpoints/stripped.json").write_text('{"last.pt": 3')
    assert identity_of_run(folder, "last", "init.run") != identity


def test_a_run_that_runs_is_never_touched(here, capsys):
    running = make(here / "runs", "a/seed0", status={**GONE, "pid": os.getpid()})
    again = make(here / "runs", "b/seed0")
    with RunFiles(running), RunFiles(again):
        (running / "checkpoints/.last.pt.1").write_text("half")
        before = names(here)
        assert main(["clean", "--yes"]) == 0
        assert capsys.readouterr().out == "nothing to remove\n"
        assert names(here) == before
    elsewhere = make(
        here / "runs", "c/seed0", status={"status": "running", "pid": 1, "host": "x", "heartbeat": 9e9}
    )
    assert main(["clean", "c/seed0", "--yes"]) == 0
    assert elsewhere.exists()


def test_a_run_that_is_taken_between_looking_and_removing_is_kept(here, capsys, monkeypatch):
    dead = make(here / "runs", "a/seed0", status=GONE)
    from snnlab.runs import cleaning

    found = list(cleaning.in_runs([dead]))
    (dead / "status.json").write_text(json.dumps({"status": "preempted"}))
    monkeypatch.setattr(cleaning, "in_runs", lambda folders: iter(found))
    assert main(["clean", "--yes"]) == 1
    assert "has changed" in capsys.readouterr().err
    assert dead.exists()


def test_preempted_failed_and_damaged_runs_stay(here, capsys):
    for name, status in (("a", {"status": "preempted"}), ("b", {"status": "failed"}), ("c", {"status": "?"})):
        make(here / "runs", f"{name}/seed0", status=status)
    assert main(["clean", "--yes"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"


def test_patterns_and_kinds(here, capsys):
    for name in ("a", "b"):
        make(here / "runs", f"{name}/seed0")
    make(here / "runs", "c/seed0", status=GONE)
    assert main(["clean", "a/seed0"]) == 0
    assert "removes these 1" in capsys.readouterr().out
    assert main(["clean", "--only", "dead,cache"]) == 0
    assert "removes these 1" in capsys.readouterr().out
    assert main(["clean", "--only", "all"]) == 2
    assert main(["clean", "nothing"]) == 2
    assert capsys.readouterr().err.count("hint: ") == 2


def test_caches(here, capsys, dead_number):
    cache = cache_folder(here / "data/set", {"a": 1})
    cache.parent.mkdir(parents=True)
    build(cache)
    other = cache.with_name("frames-0123456789ab")
    shutil.copytree(cache, other)
    (other / "manifest.json").write_text('{"format": 0}')
    part = cache.with_name(f"frames-0123456789ab.tmp-{socket.gethostname()}-{dead_number}")
    part.mkdir()
    os.utime(cache / "frames.npy", (0, 0))
    assert main(["clean", "--yes"]) == 0
    assert "2 removed" in capsys.readouterr().out
    assert cache.exists()
    assert not other.exists()
    assert not part.exists()
    assert main(["clean", "--yes", "--unused-days", "30"]) == 0
    assert "1 removed" in capsys.readouterr().out
    assert not cache.exists()
