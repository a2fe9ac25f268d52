"""Sweeps: expanded by Hydra's rules, a process for each job, failures at once, a table, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.usefixtures("stand_in")


def rows(here):
    file = next((here / "runs/quickstart").glob("sweep-*.json"))
    return {row["label"]: row for row in json.loads(file.read_text())["rows"]}


def test_a_crash_does_not_stop_the_others(snnlab, here):
    done = snnlab("train", "-m", "loss=sdt,tet", "seed=0,1", "hydra.launcher.gpus=[3,5]", CRASH="tet0")
    assert done.returncode == 1, done.stderr
    out = done.stdout
    assert "sweep: 4 runs checked, 0 done before" in out
    assert "] loss=tet seed=0: FAILED after" in out
    assert "    ZeroDivisionError: what a pity" in out
    started = next(line for line in out.splitlines() if "] loss=sdt seed=0: started" in line)
    assert "; run runs/quickstart/" in started
    assert (here / started.rpartition("log ")[2]).is_file()
    assert out.index("FAILED") < out.index("| loss=sdt"), "at once, not with the table"
    assert "- failed: loss=tet seed=0: ZeroDivisionError: what a pity" in out
    found = rows(here)
    assert (found["loss=sdt"]["n"], found["loss=sdt"]["status"]) == (2, "2 done")
    assert (found["loss=tet"]["n"], found["loss=tet"]["status"]) == (1, "1 done, 1 failed")
    assert found["loss=sdt"]["metrics"]["test/acc"]["mean"] == pytest.approx(0.55)
    logs = [log.read_text() for log in (here / "runs/.sweeps").rglob("*.log")]
    assert {line for log in logs for line in log.splitlines() if line.startswith("gpu")} == {"gpu 3", "gpu 5"}
    assert sorted(path.name for path in here.iterdir()) == ["runs", "site"], "Hydra leaves nothing else"

    again = snnlab("train", "-m", "loss=sdt,tet", "seed=0,1")
    assert again.returncode == 0
    assert "3 done before" in again.stdout
    assert again.stdout.count(": done before; test/acc") == 3
    assert again.stdout.count(": started") == 1


def test_a_bad_point_stops_the_sweep_before_job_0(snnlab, here):
    done = snnlab("train", "-m", "seed=0,1,-2", "loss=sdt")
    assert done.returncode == 2
    assert "hint: for example seed=0 (point 3 of 3: seed=-2)" in done.stderr
    assert "started" not in done.stdout
    assert not (here / "runs").exists()


def test_stop_at_the_first_failure(snnlab):
    done = snnlab("train", "-m", "seed=range(0,3)", "loss=sdt", "hydra.launcher.on_error=stop", CRASH="sdt0")
    assert done.returncode == 1
    assert "1 failed, 2 not run" in done.stdout


def test_other_launchers_and_hydras_syntax(snnlab, here):
    overrides = ["loss=glob(t*)", "seed=choice(1)", "+augment.flip.p=0.5"]
    done = snnlab("train", "-m", *overrides, "hydra/launcher=basic", CRASH="tmc1")
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("ZeroDivisionError: what a pity") == 1
    found = rows(here)
    assert found["loss=tet"]["status"] == "1 done"
    assert found["loss=tmc"]["status"] == "1 failed"
    assert re.search("^- failed: loss=tmc.*: ZeroDivisionError: what a pity$", done.stdout, re.MULTILINE)


def test_own_configs_and_components_reach_the_jobs(snnlab, here):
    for name, text in {
        "my_pkg/neurons/foo.py": 'class Foo:\n    """Foo."""\n    def __init__(self, *, a: int = 1): pass\n',
        "my_pkg/__init__.py": "",
        "my conf/neuron/foo.yaml": "name: foo\na: 1\n",
        "my conf/experiment/a.yaml": "# @package _global_\ndefaults: [override /neuron: foo]\nplugins: [my_pkg]",
    }.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    done = snnlab(
        "train", "-m", "experiment=a", "plugins=[my_pkg]", "neuron.a=1,2", "--config-dir", "my conf"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| neuron.a=2 |" in done.stdout
    assert len(list((here / "runs/a").glob("*-foo-*"))) == 2


def test_ctrl_c_stops_the_sweep_resumably(here):
    command = [sys.executable, "-m", "snnlab", "train", "-m", "seed=0,1", "loss=sdt"]
    environment = {**os.environ, "SLOW": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        deadline = time.monotonic() + 30
        while not list(here.glob("runs/quickstart/*/seed0/started")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 75
    assert "seed=0: interrupted after" in out
    assert "1 interrupted, 1 not run" in out
    assert "seed=1: started" not in out


def started(here, seed):
    return wait_for(lambda: list(here.glob(f"runs/*/*/seed{seed}/started")))


def wait_for(found, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def jobs(here):
    """The training processes of this folder."""
    listed = subprocess.run(["ps", "-ewwo", "pid=,stat=,args="], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if f"paths.runs={here}" in line and " Z" not in line]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize(
    "words", ["train -m seed=0,1 loss=sdt", "table digits_losses seeds=0,1 --run"], ids=["sweep", "table"]
)
def test_a_command_that_ends_leaves_no_job_behind(here, words, number):
    command = [sys.executable, "-m", "snnlab", *words.split(), f"paths.runs={here}/runs"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "SLOW": "1"}
    ) as process:
        assert started(here, 0)
        assert len(jobs(here)) == 2, "the command and its job"
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (75 if number == signal.SIGHUP else -9)
    assert wait_for(lambda: not jobs(here), 10), "it would go on for 20 seconds"


@pytest.mark.parametrize("launcher", ["process", "basic"])
def test_a_point_that_runs_elsewhere_is_waited_for(here, launcher):
    overrides = ["+experiment=quickstart", "seed=0", "loss=sdt"]
    hold = """
import json, sys
from snnlab.runs.files import RunFiles
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
cfg = load(sys.argv[1:])
with RunFiles(run_dir(cfg)) as files:
    files.write_running()
    print("holds", flush=True)
    sys.stdin.read()
    last = {"test/acc": 0.5, "test/ece": 0.1, "test/adaece": 0.2, "test/cece": 0.3}
    (files.folder / "result.json").write_text(json.dumps({"last": last, "best": last}))
"""
    other = subprocess.Popen(
        [sys.executable, "-c", hold, *overrides], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    other.stdout.readline()
    command = [sys.executable, "-m", "snnlab", "train", "-m", "loss=sdt", "seed=0,1"]
    command.append(f"hydra/launcher={launcher}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as sweep:
        said = ""
        while "runs elsewhere" not in said and (line := sweep.stdout.readline()):
            said += line
        other.communicate("")
        said += sweep.communicate(timeout=60)[0]
    assert sweep.returncode == 0, said
    assert f"runs elsewhere, in process {other.pid} on " in said
    if launcher == "process":
        assert "] seed=0: done before; test/acc" in said
        assert "] seed=1: done in" in said
    assert "2 done" in said
