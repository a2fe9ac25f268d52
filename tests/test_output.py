"""The reader of a command's output leaves, as `| head` does: the work goes on, and what follows runs ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_runs import TINY


def unheard(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command whose output and errors are read for one line, then not any more."""
    line = " ".join(f"'{one}'" for one in (sys.executable, "-m", "snnlab", *words))
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line} 2>&1 | head -n 1"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("words", [("train",), ("train", "-m", "seed=0,1")])
def test_a_training_ends_as_if_it_were_read(tmp_path: Path, words):
    done = unheard(*words, *TINY, f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'data'}")
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 1
    files = sorted(tmp_path.glob("quickstart/*/seed*/status.json"))
    assert [json.loads(file.read_text())["status"] for file in files] == ["done"] * (len(words) - 1 or 1)
    assert "epoch 1/1" in (files[0].parent / "log.txt").read_text()


def test_what_only_lists_ends_without_a_word():
    done = unheard("list")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
