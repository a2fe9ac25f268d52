"""Searches with Optuna: the direction, the best trial, what is refused or fails, and how an interrupted one goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from omegaconf import OmegaConf

from snnlab.cli import main
from snnlab.config.overrides import ReadOverride
from snnlab.errors import ConfigError
from snnlab.sweep.names import names_of
from snnlab.sweep.search import refuse_search
from tests.cli.test_launchers import OTHERS, SWEEP, need_plugin

pytestmark = pytest.mark.usefixtures("stand_in")


def of_optuna(trials, *space, jobs=1):
    """The words of a search, where Optuna is installed."""
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    return [
        "hydra/sweeper=optuna",
        f"hydra.sweeper.n_trials={trials}",
        f"hydra.sweeper.n_jobs={jobs}",
        *space,
    ]


def wait_for_a_trial(here):
    """Returns when a trial has started, or after a minute."""
    deadline = time.monotonic() + 60
    while not list(here.glob("runs/*/*/*/started")) and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_search_under_another_launcher_has_a_table_and_a_best_trial(snnlab, here):
    need_plugin("joblib")
    search = of_optuna(2, "seed=choice(5,6)", jobs=2)
    done = snnlab(*SWEEP, "hydra/launcher=joblib", *OTHERS["joblib"], *search)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "best by test/acc: seed=" in done.stdout
    assert " done |" in done.stdout


@pytest.mark.parametrize(("select", "best"), [("test/acc", "seed=3"), ("test/ece", "seed=")])
def test_a_search_goes_in_the_direction_of_the_metric_and_says_what_is_best(snnlab, here, select, best):
    search = of_optuna(4, "seed=range(0,4)")
    done = snnlab(*SWEEP, *search, f"trainer.select={select}")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\[(\d)/4\] seed=\d: ", done.stdout, re.M)[::2] == ["1", "2", "3", "4"]
    assert "study" not in done.stdout + done.stderr, "Optuna's own lines"
    found = re.search(r"best by (\S+): (\S+);", done.stdout)
    assert found[1] == select
    tried = {int(folder.name.removeprefix("seed")) for folder in here.glob("runs/quickstart/*/seed*")}
    assert found[2] == (f"seed={max(tried)}" if select == "test/acc" else found[2])
    assert found[2].startswith(best[:5])
    again = snnlab(*SWEEP, *search, f"trainer.select={select}")
    assert again.stdout.count("done before") == 4, "the same command makes the same trials"
    assert ": started" not in again.stdout


@pytest.mark.parametrize(("ends", "code"), [("by Ctrl-C", 75), ("at a failed trial", 1)])
def test_a_search_that_is_stopped_ends_with_its_table_and_goes_on(snnlab, here, ends, code):
    search = of_optuna(2, "seed=choice(5,6)")
    command = [sys.executable, "-m", "snnlab", *SWEEP, *search, "hydra.launcher.on_error=stop"]
    fault = {"SLOW": "1"} if code == 75 else {"CRASH": "tmc5"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **fault}
    ) as process:
        if code == 75:
            wait_for_a_trial(here)
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == code
    assert f"1 {'interrupted' if code == 75 else 'failed'}" in out
    assert "written to" in out
    assert snnlab(*SWEEP, *search).returncode == 0


def test_a_failed_trial_is_said_at_the_end(snnlab, here):
    search = of_optuna(2, "seed=choice(5,6)")
    done = snnlab(*SWEEP, *search, CRASH="tmc5")
    assert done.returncode == 1
    again = json.loads(next(here.glob("runs/quickstart/sweep-*.json")).read_text())
    assert "failed" in json.dumps(again)


@pytest.mark.parametrize(
    ("launcher", "environment", "code", "status"),
    [
        (["hydra.launcher.on_error=stop"], {"BAD": "5"}, 1, "1 failed"),
        (["hydra/launcher=basic"], {"TERMED": "5"}, 75, "1 interrupted"),
    ],
)
def test_a_search_that_stops_early_has_its_table(snnlab, here, launcher, environment, code, status):
    search = of_optuna(3, "seed=choice(5)")
    done = snnlab(*SWEEP, *launcher, *search, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert f" {status} |" in done.stdout


def test_an_interrupted_search_goes_on(here):
    search = of_optuna(2, "seed=choice(5,6)")
    command = [sys.executable, "-m", "snnlab", *SWEEP, *search]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "SLOW": "1"}, **pipes) as process:
        wait_for_a_trial(here)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 75, out + err
    assert "Traceback" not in err
    assert " 1 interrupted |" in out
    again = subprocess.run(command, check=False, timeout=120, **pipes)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "best by test/acc: seed=" in again.stdout


@pytest.mark.parametrize("launcher", ["process", "joblib"])
def test_a_trial_that_is_refused_has_failed_and_the_search_goes_on(snnlab, here, launcher):
    need_plugin(launcher)
    search = of_optuna(6, jobs=2)
    sweep = [*SWEEP, f"hydra/launcher={launcher}", *OTHERS.get(launcher, ()), *search]
    done = snnlab(*sweep, "optimizer.lr=choice(-1,0.01)")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    why = "optimizer.lr: -1 is out of range, expected a number > 0"
    assert f"optimizer.lr=-1: FAILED before it began\n    error: {why}\n    hint: " in done.stdout
    assert f"\n- failed: optimizer.lr=-1: {why}\n" in done.stdout
    assert re.search(r"^\| optimizer.lr=-1 .* 1 failed \|$", done.stdout, re.M)
    assert re.search(r"^\| optimizer.lr=0.01 .* 1 done \|$", done.stdout, re.M)
    assert "best by test/acc: optimizer.lr=0.01;" in done.stdout
    written = json.loads(next(here.glob("runs/quickstart/sweep-*.json")).read_text())
    assert written["refused"] == {"optimizer.lr=-1": why}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["optimizer.lr=interval(-2,-1)"], 1, "2 of 2"),
        (["optimizer.lr=interval(-2,-1)", "hydra.launcher.on_error=stop"], 1, "1 of 2"),
        (["optimizer.lr=interval(-2,-1)", "neuron.tua=3"], 2, "error: neuron.tua: unknown key"),
        (["optimizer.lr=interval(1,2)", "neuron.tua=3"], 2, "error: neuron.tua: unknown key"),
    ],
)
def test_a_search_of_which_no_trial_can_run(here, words, code, said, capsys):
    """Its trials are in the table; what the command line fixes wrongly is its error."""
    assert main([*SWEEP, *of_optuna(2), *words]) == code
    told = capsys.readouterr()
    if code == 2:
        assert told.err.startswith(said)
        assert "written to" not in told.out
    else:
        assert told.out.count("FAILED before it began") == int(said[0])
        assert told.out.count("| 1 failed |") == int(said[0])
        assert next(here.glob("runs/sweep-*.md"))


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["seed=choice(1,2)", "trainer.select=ece"], "trainer.select: unknown metric 'ece'", "test/ece"),
        (["seed=choice(1,2)", "trainer.select=train/acc"], "trainer.select: unknown metric", "test/acc"),
        (["optimizer.lrr=choice(1,2)", "~trainer.select"], "optimizer.lrr: unknown key", "'adam'"),
        (
            ["seed=choice(1,2)", "~trainer.select", "hydra.sweeper.direction=minimize"],
            "hydra.sweeper.d",
            "max",
        ),
        (
            ["trainer.select=choice(test/acc,test/ece)"],
            "trainer.select: it is what a search optimises",
            "one",
        ),
        (
            ["seed=choice(1,2)", "hydra.sweeper.direction=minimize"],
            "hydra.sweeper.direction=minimize: trainer.select=test/acc is better the other way",
            "maximize",
        ),
        (
            ["seed=choice(1,2)", "trainer.select=test/nll", "hydra.sweeper.direction=maximize"],
            "hydra.sweeper.direction=maximize: trainer.select=test/nll is better the other way",
            "minimize",
        ),
        (["seed=1"], "hydra/sweeper=optuna: no key has values to choose from", "interval"),
        (["optimizer.lrr=interval(1e-3,1)"], "optimizer.lrr: unknown key. Did you mean 'lr'?", "'adam'"),
        (
            ["trainer.epoch=range(1,4)"],
            "trainer.epoch: unknown key. Did you mean 'epochs'?",
            "keys of trainer",
        ),
        (["lr=interval(1e-3,1)"], "lr: unknown key. Did you mean", "optimizer.lr"),
        (["loss=choice(sdt,tet)", "neuron.tua=interval(1,4)"], "neuron.tua: unknown key", "'lif'"),
    ],
)
def test_a_search_of_which_no_trial_could_be_right_is_refused_before_the_first(
    here, words, error, hint, capsys
):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    assert main([*SWEEP, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=9", *words]) == 2
    told = capsys.readouterr()
    first, second = told.err.splitlines()
    assert first.startswith(f"error: {error}")
    assert hint in second
    assert told.out == ""
    assert not list(here.glob("runs/**/*.md"))


@pytest.mark.parametrize("owner", ["neuron=choice(lif,plif)", "experiment=choice(quickstart,tmc_digits)"])
def test_a_key_that_some_choice_of_a_trial_may_have_is_left_to_the_trial(owner):
    read = [
        ReadOverride(one, one, one.partition("=")[0], "." not in one, is_sweep=True)
        for one in (owner, "neuron.learn_rate=interval(0,1)")
    ]
    master = OmegaConf.create(
        {"hydra": {"sweeper": {}}, "trainer": {"select": "test/acc"}, "neuron": {"name": "lif"}}
    )
    refuse_search(master, read)
    with pytest.raises(ConfigError, match="unknown key"):
        refuse_search(master, read[1:])


def test_the_name_of_a_trial_has_all_that_it_chooses_also_what_those_beside_it_choose_alike():
    command = [
        "+experiment=quickstart",
        "loss=choice(sdt,tet)",
        "optimizer.lr=interval(0.1,1)",
        "++trainer.epochs=2",
    ]
    config = OmegaConf.create({"hydra": {"sweeper": {"n_trials": 3}, "overrides": {"task": command}}})
    fixed = ["+experiment=quickstart", "++trainer.epochs=2"]
    points = [[*fixed, "loss=sdt", "++optimizer.lr=0.2"], [*fixed, "loss=sdt", "++optimizer.lr=0.3"]]
    assert names_of(points, 0, config) == [
        "[1/3] loss=sdt optimizer.lr=0.2",
        "[2/3] loss=sdt optimizer.lr=0.3",
    ]
