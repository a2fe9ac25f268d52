"""What the compiler makes of the kernels for a GPU; none is needed for that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
SCRIPT = Path(__file__).with_name("gpu_code.py")


def compiled(*names):
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(SCRIPT.parents[3]), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run([sys.executable, SCRIPT, *names], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return {line["kernel"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_every_element_moves_once_and_in_wide_words():
    """The input of the next step is on its way during a step, hence two loads in the loop over time."""
    found = compiled("forward", "backward", "pack bits", "unpack bits")
    assert found["forward"]["moves"] == {"LDG.E": 1, "LDG.E.128": 2, "STG.E.128": 1}
    assert found["backward"]["moves"] == {"LDG.E": 1, "LDG.E.64": 2 * 4, "STG.E.64": 4}
    assert found["pack bits"]["moves"] == {"LDG.E.128": 8, "STG.E.64": 1, "STG.E": 1}
    assert found["unpack bits"]["moves"] == {"LDG.E.64": 1, "STG.E.128": 8}
    assert found["forward"]["registers"] <= 32
    assert found["backward"]["registers"] <= 48


@pytest.mark.slow
def test_all_compile_into_registers():
    for name, code in compiled().items():
        assert code["stack"] <= 8, name
        assert code["registers"] <= 168, name
