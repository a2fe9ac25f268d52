"""Nothing from a stranger runs, reads the environment or writes elsewhere; what the user names himself works."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import snnlab
from snnlab.cli import main
from snnlab.data.cache import open_cache
from snnlab.data.readers import read_recording
from snnlab.errors import SnnlabError
from snnlab.runs.load import load
from snnlab.train.weights_file import read_weights
from tests.faults.hostile import (
    ATTACKS,
    SECRET,
    Payload,
    experiment,
    package,
    plain_pickle,
    torch_legacy,
    torch_script,
    torch_zip,
    weights,
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder; what a command changes in the process is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    yield tmp_path
    for module in [name for name in sys.modules if name.partition(".")[0] in ("evil_pkg", "my_pkg")]:
        del sys.modules[module]


def refused(folder, capsys):
    """The message, if nothing has run, been read or been written elsewhere."""
    assert not list(folder.rglob("executed"))
    assert not list(folder.rglob("elsewhere*"))
    assert "evil_pkg" not in sys.modules
    assert str(folder) not in sys.path
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    assert "weights_only" not in printed.err
    return printed.err


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_of_a_stranger_runs(here, capsys, name):
    attack, message = ATTACKS[name]
    code = main(attack(here))
    error = refused(here, capsys)
    assert code == 2, error
    assert [line.partition(":")[0] for line in error.splitlines()] == ["error", "hint"], error
    assert message in error
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (["eval", "run=run"], "checkpoint=best takes the run's other checkpoint, run=DIR another run"),
        (
            ["train", "+experiment=quickstart", "debug=smoke", "init.run=run"],
            "init.checkpoint=best takes the run's other checkpoint, init.run=DIR another run",
        ),
        (
            [
                "train",
                "+experiment=quickstart",
                "debug=smoke",
                "loss=skd",
                "distill.teacher=run",
                "num_steps=3",
            ],
            "distill.checkpoint=best takes the run's other checkpoint, distill.teacher=DIR another run",
        ),
    ],
)
def test_the_hint_about_a_checkpoint_fits_the_command(here, capsys, command, hint):
    weights("eval", torch_zip)(here)
    code = main([*command, "model.channels=[4,8]", "trainer.progress=none"])
    error = refused(here, capsys)
    assert code == 2, error
    assert f"hint: {hint}" in error


@pytest.mark.parametrize("content", [torch_zip, torch_legacy, torch_script, plain_pickle])
@pytest.mark.parametrize("name", ["teacher.pt", "teacher.safetensors"])
def test_weights_of_a_stranger(here, capsys, content, name):
    (here / name).write_bytes(content(here))
    with pytest.raises(SnnlabError, match=name) as caught:
        read_weights(here / name)
    assert "weights_only" not in str(caught.value)
    refused(here, capsys)


@pytest.mark.parametrize("content", [[1, 2], {"state": 3}, {1: torch.zeros(1)}, torch.zeros(2)])
def test_weights_that_are_none(here, content):
    torch.save(content, here / "teacher.pt")
    with pytest.raises(SnnlabError, match="holds no tensors by name"):
        read_weights(here / "teacher.pt")


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_recordings_of_a_stranger(here, capsys, name):
    content = np.array([Payload(here)], object)
    if name == "a.npz":
        np.savez(here / name, x=content, y=content, p=content, t=content)
    else:
        np.save(here / name, content)
    with pytest.raises(SnnlabError, match=name):
        read_recording(here / name)
    refused(here, capsys)


def test_frames_of_a_stranger(here, capsys):
    (here / "manifest.json").write_text('{"format": 1, "shape": [1]}')
    (here / "names.txt").write_text("a\n")
    for name in ("labels.npy", "frames.npy"):
        np.save(here / name, np.array([Payload(here)], object))
    assert open_cache(here) is None
    refused(here, capsys)


def test_modules_in_the_current_directory(here, capsys):
    """`python -m snnlab` in an unpacked archive, and the processes that a command starts there."""
    root = str(Path(snnlab.__file__).parents[1])
    for name in ("yaml", "omegaconf", "hydra_plugins"):
        package(here, name)
    environment = {**os.environ, "PYTHONPATH": root}
    del environment["PYTHONSAFEPATH"]
    command = [sys.executable, "-m", "snnlab", "check", "+experiment=quickstart"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refused(here, capsys)
    assert main(["--version"]) == 0
    assert os.environ["PYTHONSAFEPATH"] == "1"


def test_control_characters_of_a_stranger_reach_no_terminal(here, capsys):
    assert main(["eval", "run=\x1b]0;evil\x07"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_listed_variable_may_be_read(here, monkeypatch):
    experiment("logger: {project: '${oc.env:SECRET}'}")(here)
    monkeypatch.setenv("SNNLAB_CONFIG_ENV", "OTHER,SECRET")
    assert load(["+experiment=evil"], ["conf"]).logger.project == SECRET


NEURON = """
from snnlab.neurons.lif import LIF


class Mine(LIF):
    def __init__(self, surrogate=None, *, a: int = 1) -> None:
        super().__init__(surrogate)
"""
NAMED = "plugins=[my_pkg]"


@pytest.fixture
def mine(here):
    """A package in the current folder with a neuron, and its name in an experiment of a --config-dir."""
    for name, text in {
        "my_pkg/neurons/mine.py": NEURON,
        "my_pkg/__init__.py": "",
        "conf/neuron/mine.yaml": "name: mine\na: 1\n",
        "conf/experiment/own.yaml": "# @package _global_\n"
        "defaults: [quickstart, override /neuron: mine]\nplugins: [my_pkg]\n",
        "conf/table/own.yaml": "title: a\nsource: b\ncolumns: [{name: c}]\nseeds: [0]\n"
        "rows: [{labels: [a], published: [1.0], run: {experiment: own}}]\n",
    }.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    return here


@pytest.mark.slow
def test_a_package_that_the_user_names_works_everywhere(mine, capsys):
    own = ["--config-dir", "conf"]
    settings = ["+experiment=own", "debug=smoke", "model.channels=[4,8]", "trainer.plots=false"]
    assert main(["train", *settings, *own]) == 2
    assert "add plugins=[my_pkg] to the command" in capsys.readouterr().err
    assert main(["train", *settings, NAMED, *own]) == 0, capsys.readouterr().err
    (result,) = (mine / "runs").rglob("result.json")
    run = f"run={result.parent}"
    student = [
        "train",
        "+experiment=quickstart",
        "debug=smoke",
        "loss=skd",
        f"distill.teacher={result.parent}",
    ]
    for command in (["eval", run], ["export", run], ["analyse", run, "what=energy"], student):
        assert main(command) == 2, command
        assert "add plugins=[my_pkg] to the command" in capsys.readouterr().err
        assert main([*command, NAMED]) == 0, (command, capsys.readouterr().err)
    assert main(["train", "-m", *settings, "seed=1,2", NAMED, *own]) == 0
    assert main(["table", "own", "scale=smoke", "--plan", *own]) == 2
    assert main(["table", "own", "scale=smoke", "model.channels=[4,8]", "--run", NAMED, *own]) == 0
