"""The commands and files in docs/howto.md about finding runs, clusters and W&B sweeps do what they say."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from snnlab.cli import main
from snnlab.verbs import runs as verb
from tests.runs.test_overview import GONE, make

TEXT = (Path(__file__).parents[1] / "docs/howto.md").read_text()


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def block(name: str) -> str:
    return re.findall(rf'```\w+ title="{name}"\n(.*?)```', TEXT, re.DOTALL)[0]


LINES = [line for line in section("Find and watch runs").splitlines() if line.startswith("    snnlab ")]
COMMANDS = [line.partition(" #")[0].strip() for line in LINES if " train " not in line]


@pytest.mark.parametrize("command", COMMANDS)
def test_finding_and_watching(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    finished = make(tmp_path / "runs", "net-lif-tet-t2-00000001/seed0")
    make(tmp_path / "runs", "net-lif-tmc-t2-00000002/seed0", status=GONE)
    (tmp_path / "runs/one").rename(tmp_path / "runs/quickstart")
    (tmp_path / "runs/quickstart" / finished.parent.name / "seed0/log.txt").write_text("epoch 1/2\n")

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verb.time, "sleep", stop)
    _, *arguments = shlex.split(command)
    assert main(arguments) == (75 if "--watch" in arguments else 0)
    assert capsys.readouterr().out


def test_there_are_commands():
    assert {command.split()[1] for command in COMMANDS} == {"runs", "log", "clean"}


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """An environment with a `snnlab` that saves itself at a signal, and a `scontrol` that notes what it is asked."""
    programs = {
        "snnlab": "trap 'sleep 0.3; exit 75' USR1 TERM\necho $$ $@ > started\n"
        "for _ in $(seq 100); do sleep 0.1; done\nexit 1",
        "scontrol": "echo $@ > requeued",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "train.sbatch").write_text(block("train.sbatch"))
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_ID": "42"}


@pytest.mark.parametrize("ends", ["warned", "cancelled", "failed"])
def test_a_job_that_is_warned_is_queued_again(tmp_path, cluster, ends):
    if ends == "failed":
        (tmp_path / "snnlab").write_text("#!/bin/bash\nexit 3\n")
    script = subprocess.Popen(
        ["bash", "train.sbatch", "seed=1"], cwd=tmp_path, env=cluster, start_new_session=True
    )
    if ends != "failed":
        end = time.monotonic() + 30
        started = tmp_path / "started"
        while not (started.exists() and started.read_text()) and time.monotonic() < end:
            time.sleep(0.02)
        number, *arguments = started.read_text().split()
        assert arguments == ["train", "+experiment=quickstart", "seed=1"]
    if ends == "warned":
        script.send_signal(signal.SIGUSR1)  # B: the script alone gets it
    if ends == "cancelled":
        os.kill(int(number), signal.SIGTERM)
    assert script.wait(60) == {"warned": 75, "cancelled": 75, "failed": 3}[ends]
    assert (tmp_path / "requeued").exists() == (ends == "warned")
    if ends == "warned":
        assert (tmp_path / "requeued").read_text() == "requeue 42\n"


def test_the_command_of_a_wandb_sweep(capsys):
    sweep = yaml.safe_load(block("sweep.yaml"))
    program, command, *given = sweep["command"]
    assert (program, command, given.pop()) == ("snnlab", "train", "${args_no_hyphens}")
    chosen = {"optimizer.lr": 0.01, "loss": "tet"}
    assert chosen.keys() == sweep["parameters"].keys()
    assert main(["check", *given, *(f"{key}={value}" for key, value in chosen.items())]) == 0
    assert sweep["metric"]["name"] == "test/acc"
