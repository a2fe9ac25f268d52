"""A run of many epochs: memory and open files are flat, and every row is there.

SNNLAB_FAULTS_EPOCHS=5000 pytest -m faults tests/faults/test_long_runs.py     more of them
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

EPOCHS = int(os.environ.get("SNNLAB_FAULTS_EPOCHS", "400"))
MOST_GROWTH = 8 * 2**20
"""Bytes between the first and the last third; the rows in a checkpoint and in metrics.jsonl grow with the epochs."""

# The command, with a line of memory and open files after each save of a state.
WATCHED = """
import os, sys
from snnlab.runs import checkpoint
save, page = checkpoint.save, os.sysconf("SC_PAGESIZE")
watched = open(sys.argv[1], "a")
def saved(path, content):
    save(path, content)
    if path.name == "last.pt":
        memory = int(open("/proc/self/statm").read().split()[1]) * page
        watched.write(f"{memory} {len(os.listdir('/proc/self/fd'))}\\n")
        watched.flush()
checkpoint.save = saved
from snnlab.cli import main
sys.exit(main(sys.argv[2:]))
"""


def long_run(tmp_path: Path, epochs: int) -> list[tuple[int, int]]:
    """Memory in bytes and number of open files after each epoch."""
    words = ["train", "+experiment=quickstart", "model.channels=[2,4]", "num_steps=1", "trainer.batch_size=4"]
    words += [f"trainer.epochs={epochs}", "trainer.limit_train_batches=1", "trainer.limit_test_batches=1"]
    words += [
        "trainer.device=cpu",
        "trainer.progress=none",
        f"paths.runs={tmp_path}",
        f"paths.data={tmp_path}/data",
    ]
    command = [sys.executable, "-c", WATCHED, str(tmp_path / "watched"), *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    (rows,) = tmp_path.glob("*/*/seed0/metrics.jsonl")
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["epoch"] for row in found if row["split"] == "train"] == list(range(1, epochs + 1))
    assert not [path for path in rows.parent.rglob(".*") if path.name != ".lock"]
    lines = (tmp_path / "watched").read_text().splitlines()
    return [(int(memory), int(files)) for memory, files in map(str.split, lines)]


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_memory_and_open_files_are_flat(tmp_path: Path) -> None:
    watched = long_run(tmp_path, EPOCHS)
    third = len(watched) // 3
    early, late = watched[third : 2 * third], watched[-third:]
    growth = statistics.median(one[0] for one in late) - statistics.median(one[0] for one in early)

    sys.stdout.write(
        f"{len(watched)} epochs, memory grew by {growth / 2**20:.1f} MiB, {watched[-1][1]} open files\n"
    )
    assert growth < MOST_GROWTH
    assert len({one[1] for one in watched[third:]}) == 1
