"""Kernels of a layer are compiled beside each other before its first call, and no step asks for others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
SCRIPT = Path(__file__).with_name("compiled_together.py")


@pytest.fixture(scope="module")
def found():
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(SCRIPT.parents[3]), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_all_kernels_of_a_layer_are_compiled_at_once(found):
    """The stub of the compiler waits for as many as there are, and breaks where one comes alone."""
    assert found["norm and lif"]["before"] == [
        "backward",
        "backward",
        "channel_sums",
        "column_moments",
        "forward",
        "norm_table",
    ]
    assert found["with residual"]["before"] == ["back_through_norm", "backward", "forward"]
    assert found["plif"]["before"] == ["backward", "forward"]
    assert len(found["dsatgo"]["before"]) == 5
    assert found["cf, channels last"]["before"] == ["forward"], "no gradient is asked for"


def test_the_first_step_asks_for_no_other_kernel(found):
    assert [name for name, one in found.items() if one["later"]] == []
    assert found["the same again"]["before"] == found["another layer"]["before"] == []


def test_what_only_compiles_launches_nothing(found):
    once = {"column_moments": 1, "norm_table": 1, "forward": 1, "backward": 2, "channel_sums": 1}
    assert found["norm and lif"]["launches"] == found["another layer"]["launches"] == once
    assert found["dsatgo"]["launches"] == {"charge": 5, "backward": 1}
