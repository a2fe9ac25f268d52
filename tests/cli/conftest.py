"""Runs command lines in a fresh process, and stands in for the training where that is not the point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Installed as sitecustomize: what `snnlab.train.recipe` would do, as far as a sweep can see, without torch.
STAND_IN = """
import json, os, signal, sys, time, types

def run(cfg):
    from snnlab.runs.identity import run_dir
    if os.environ.get("CRASH") == f"{cfg.loss.name}{cfg.seed}":
        raise ZeroDivisionError("what a pity")
    if os.environ.get("BAD") == str(cfg.seed):
        from snnlab.errors import DataError
        raise DataError("dataset.folder: it is gone", "look for it")
    if os.environ.get("KILLED") == str(cfg.seed):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("TERMED") == str(cfg.seed):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    stop = []
    if "WARNED" not in os.environ:
        signal.signal(signal.SIGINT, lambda *_: stop.append(1))
    folder = run_dir(cfg)
    folder.mkdir(parents=True, exist_ok=True)
    print("gpu", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
    print("data", cfg.paths.data, flush=True)
    (folder / "threads").write_text(str(os.environ.get("OMP_NUM_THREADS")))
    if "WARNED" in os.environ and not (folder / "warned").exists():
        (folder / "warned").touch()
        # A scheduler warns the process that it has started, which is submitit's.
        os.kill(os.getppid(), getattr(signal, os.environ["WARNED"]))
        time.sleep(5)
    if "SLOW" in os.environ:
        (folder / "started").touch()
        deadline = time.monotonic() + 20
        try:
            while not stop and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            if stop or time.monotonic() < deadline:
                (folder / "stopped").touch()
        return 75 if stop else 1
    last = {"test/acc": 0.5 + cfg.seed / 10, "test/ece": 0.1, "test/adaece": 0.2, "test/cece": 0.3}
    (folder / "result.json").write_text(json.dumps({"last": last, "best": last}))
    return 0

recipe = types.ModuleType("snnlab.train.recipe")
recipe.run = run
train = types.ModuleType("snnlab.train")
train.recipe = recipe
rehearsal = types.ModuleType("snnlab.train.rehearsal")
rehearsal.refuse_point = lambda cfg, **_: None
gpus = types.ModuleType("snnlab.machine.gpus")
gpus.absent = lambda gpus: ""
sys.modules |= {
    "snnlab.train": train,
    "snnlab.train.recipe": recipe,
    "snnlab.train.rehearsal": rehearsal,
    "snnlab.machine.gpus": gpus,
}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    return tmp_path


@pytest.fixture
def snnlab(here):
    """Runs `python -m snnlab ...` and returns the finished process."""

    def run(*args, **environment):
        return subprocess.run(
            [sys.executable, "-m", "snnlab", *args],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **environment},
            check=False,
        )

    return run


@pytest.fixture
def stand_in(here, monkeypatch):
    """Replaces the training in all processes that are started from here on."""
    (here / "site").mkdir()
    (here / "site/sitecustomize.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", f"{here / 'site'}{os.pathsep}{ROOT}")
