"""What a call of the Triton kernels costs on the host, and that direct launches are those of Triton, without a GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
SCRIPT = Path(__file__).with_name("host_path.py")


@pytest.fixture(scope="module")
def found():
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(SCRIPT.parents[3]), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_calls_of_a_layer_are_few_times_those_of_relu(found):
    """Counted, not timed. With the counts allowed here LIF takes about four times the processor time of ReLU."""
    counts = found["counts"]
    relu, normed = counts["relu"], counts["norm and relu"]
    for name in ("lif", "lif soft", "cf", "plif", "lif tsg", "dsatgo eval"):
        assert counts[name]["python"] <= 5 * relu["python"], name
        assert counts[name]["all"] <= 4 * relu["all"], name
    assert counts["dsatgo"]["python"] <= 7 * relu["python"]  # T + 1 launches at T = 4
    assert counts["norm and lif"]["python"] <= 3.5 * normed["python"]
    assert counts["lif inference"]["python"] <= 50


def test_a_direct_launch_is_the_one_that_triton_would_make(found):
    """For addresses that are divisible by 16 and that are not, of every tensor, after the first launches."""
    launches = found["launches"]
    assert launches["direct"] > launches["launches"] / 3
    assert launches["kernels"] > 100
