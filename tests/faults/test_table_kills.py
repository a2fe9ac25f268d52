"""Kills `snnlab table --run` at random moments: no job goes on, and the same command fills the table as if unharmed.

SNNLAB_FAULTS_SECONDS=3600 pytest -m faults tests/faults/test_table_kills.py     an hour
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snnlab.runs.results import read_status
from tests.faults.test_kills import ENVIRONMENT, SECONDS, SEED

TABLE = """
title: Kills
source: nobody
seeds: [0, 1]
columns: [{name: acc, metric: test/acc}, {name: at one step, metric: measured/rows/1/acc}]
rows:
  - labels: [SDT]
    run: {experiment: quickstart, overrides: [loss=sdt], measure: "eval num_steps=[1,2]", measured: "eval-*.json"}
    published: [1, 1]
"""
SMALL = ["trainer.epochs=2", "model.channels=[4,8]", "trainer.batch_size=64", "num_steps=2"]
SMALL += ["trainer.limit_train_batches=4", "trainer.limit_test_batches=2", "trainer.plots=false"]


def command(folder: Path, *more: str) -> list[str]:
    (folder / "conf/table").mkdir(parents=True, exist_ok=True)
    (folder / "conf/table/kills.yaml").write_text(TABLE)
    places = [
        f"paths.runs={folder / 'runs'}",
        f"paths.data={folder / 'data'}",
        "trainer.device=cpu",
        "trainer.progress=none",
    ]
    return [
        sys.executable,
        "-m",
        "snnlab",
        "table",
        "kills",
        "--config-dir",
        f"{folder}/conf",
        *SMALL,
        *places,
        *more,
    ]


def values(folder: Path) -> list[dict[str, float]]:
    """The numbers in the table's cells, by seed, after a run that has to succeed."""
    done = subprocess.run(
        command(folder, "--run", "--output", f"{folder}/filled.json"),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [cell["values"] for cell in json.loads((folder / "filled.json").read_text())["cells"]]


def jobs(folder: Path) -> list[str]:
    """The processes that work in this folder."""
    listed = subprocess.run(["ps", "-ewwo", "pid=,stat=,args="], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if f"{folder}/" in line and " Z" not in line]


@pytest.mark.faults
@pytest.mark.timeout(SECONDS + 900)
def test_a_killed_table_leaves_no_orphan_and_is_filled_later(tmp_path: Path) -> None:
    begin = time.monotonic()
    straight = values(tmp_path / "straight")
    takes = time.monotonic() - begin
    assert all(len(cell) == 2 for cell in straight)
    draw, end, number = random.Random(SEED), time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        number += 1
        folder = tmp_path / str(number)
        for _ in range(draw.randint(1, 3)):
            process = subprocess.Popen(
                command(folder, "--run"),
                env=ENVIRONMENT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(draw.uniform(1.0, takes))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            deadline = time.monotonic() + 20
            while jobs(folder) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert jobs(folder) == []
            for run in folder.glob("runs/*/*/seed*"):
                assert read_status(run).get("status") != "running"
        assert values(folder) == straight
    sys.stdout.write(f"{number} tables killed and filled\n")
