"""Commands of docs/howto.md that a newcomer meets first, run as they stand there: sweeps, checks, own components."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from snnlab.cli import main

TEXT = (Path(__file__).parents[2] / "docs/howto.md").read_text()
SHORT = ["trainer.epochs=1", "model.channels=[4,4]", "num_steps=2", "trainer.plots=false", "logger=none"]


def commands(section: str) -> list[str]:
    text = TEXT.partition(f"## {section}\n")[2].partition("\n## ")[0].replace("\\\n", " ")
    lines = re.findall(r"^    snnlab (.*?)(?: +#.*| +\[[a-z]+\])?$", text, re.M)
    assert lines
    return [re.sub(r" +# *\[\w+\]$", "", line).strip() for line in lines]


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("command", commands("Sweep"))
def test_a_sweep(command, snnlab, here):
    """What is trained is a stand-in; launchers, sweepers, table and exit code are real."""
    for plugin in ("joblib", "submitit", "optuna"):
        if plugin in command:
            pytest.importorskip(
                f"hydra_plugins.hydra_{plugin}_{'sweeper' if plugin == 'optuna' else 'launcher'}"
            )
    done = snnlab(*shlex.split(command.replace("n_trials=20", "n_trials=2")))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (table,) = here.glob("runs/quickstart/sweep-*.md")
    assert f"written to {table}" in done.stdout
    assert ("best by test/acc: optimizer.lr=" in done.stdout) == ("optuna" in command)


def looks(verb: str) -> list[list[str]]:
    found = [command.split() for command in commands("Look before a run")]
    return [command for command in found if (command[0] == "train") == (verb == "train")]


def test_looking_before_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    for command in looks("check"):
        needs_data = command[0] == "check" and "--no-build" not in command
        assert main(command) == (2 if needs_data else 0), command
        err = capsys.readouterr().err
        assert err.startswith("error: dataset cifar10: nothing at ") if needs_data else "error" not in err


@pytest.mark.slow
@pytest.mark.parametrize("command", looks("train"))
def test_runs_that_look_into_a_network(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*command, *SHORT]) == 0


def test_own_components(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    new, train = map(shlex.split, commands("Bring your own components"))
    assert main(new) == 0
    assert main([*train, *SHORT]) == 0
    for module in [one for one in sys.modules if one.partition(".")[0] == "my_lab"]:
        del sys.modules[module]  # other tests have packages of this name
    assert "neurons  ran their own code, in none of the back ends" in capsys.readouterr().out
    (result,) = tmp_path.glob("runs/my_experiment/my_data-*/seed0/result.json")
    assert '"my_data"' in result.read_text()
