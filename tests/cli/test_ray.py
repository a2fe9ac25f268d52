"""Sweeps under Ray: on a cluster of this machine for one command, and on one that runs and that RAY_ADDRESS names."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import ROOT

pytest.importorskip("ray")
pytestmark = pytest.mark.usefixtures("stand_in")
SWEEP = ["train", "-m", "+experiment=quickstart", "hydra/launcher=ray", "hydra.launcher.cpus=1"]

# A cluster that other commands use; it ends with its standard input.
CLUSTER = """
import os, sys
from snnlab.sweep.ray_cluster import connect
ray, machines = connect(None)
print(ray.get_runtime_context().gcs_address, os.environ["RAY_AUTH_TOKEN"], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster():
    """The variables that name a cluster that runs."""
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        address, token = process.stdout.readline().split()
        yield {"RAY_ADDRESS": address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        process.communicate("")


def test_a_sweep_on_this_machine(snnlab, here, monkeypatch):
    monkeypatch.setenv("HOME", str(here / "home"))
    (here / "home").mkdir()
    done = snnlab(*SWEEP, "loss=sdt", "seed=1,2,3", CRASH="sdt3", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == "", "Ray says nothing"
    assert "] seed=3: FAILED after" in done.stdout
    assert "    ZeroDivisionError: what a pity" in done.stdout
    assert "- failed: seed=3: ZeroDivisionError: what a pity" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("| quickstart"))
    assert "65.00 +- 7.07" in row
    started = next(line for line in done.stdout.splitlines() if "] seed=1: started on " in line)
    assert (here / started.rpartition("log ")[2]).read_text().startswith("gpu ")
    assert sorted(path.name for path in here.iterdir()) == ["home", "runs", "site"]
    assert not list((here / "home").iterdir()), "no token and no report of use are kept"

    again = snnlab(*SWEEP, "loss=sdt", "seed=1,2")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(": done before; test/acc") == 2
    assert ": started" not in again.stdout


@pytest.mark.slow
def test_settings_of_a_command_reach_its_jobs(snnlab, here, cluster):
    (here / "my_pkg/neurons").mkdir(parents=True)
    (here / "my_pkg/__init__.py").touch()
    (here / "my_pkg/neurons/foo.py").write_text(
        'class Foo:\n    """Foo."""\n    def __init__(self, *, a: int = 1): pass\n'
    )
    done = snnlab(
        *SWEEP, "neuron=foo", "neuron.a=1,2", "plugins=[my_pkg]", **cluster, SNNLAB_DATA=str(here / "data")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| neuron.a=2 |" in done.stdout
    told = [log.read_text() for log in (here / "runs/.sweeps").rglob("*.log")]
    assert len(told) == 2
    assert all(f"data {here / 'data'}" in text for text in told)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_ends_leaves_no_job_behind(here, cluster, number):
    command = [sys.executable, "-m", "snnlab", *SWEEP, "hydra.launcher.workers=1", "seed=1,2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **cluster, "SLOW": "1"}
    ) as process:
        assert wait_for(lambda: list(here.glob("runs/*/*/seed1/started")))
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert wait_for(lambda: list(here.glob("runs/*/*/seed1/stopped")), 10), "it would go on for 20 seconds"
    assert not list(here.glob("runs/*/*/seed2"))
    if number == signal.SIGKILL:
        return
    assert process.returncode == 75
    assert "seed=1: interrupted after" in out
    assert "1 interrupted, 1 not run" in out


@pytest.mark.slow
def test_a_job_that_fits_no_machine(snnlab, here, cluster):
    done = snnlab(*SWEEP, "hydra.launcher.cpus=4000", "seed=1,2", **cluster)
    assert done.returncode == 2
    assert "error: hydra.launcher: no machine of Ray's cluster has 4000 CPUs" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for(found, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value
