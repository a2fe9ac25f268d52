"""Sweeps under Hydra's other launchers and sweepers: the same table and exit code, whoever starts the jobs."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time

import pytest

from snnlab.config import hydra_errors
from snnlab.config.compose import loader
from snnlab.config.search import SearchPath
from snnlab.sweep import requeue

pytestmark = pytest.mark.usefixtures("stand_in")
SWEEP = ["train", "-m", "+experiment=quickstart", "paths.runs=runs"]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_sweep_under_another_launcher(snnlab, here, launcher):
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    options = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else ["hydra.launcher.timeout_min=5"]
    done = snnlab(*SWEEP, f"hydra/launcher={launcher}", *options, "seed=1,2")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| quickstart"))
    assert "65.00 +- 7.07" in row
    assert "2 done" in row
    assert len(list(here.glob("runs/quickstart/*/seed[12]/result.json"))) == 2
    if launcher == "joblib":
        said = [line for line in done.stdout.splitlines() if line.startswith("runs/quickstart/")]
        assert sum(": started; log runs/quickstart/" in line for line in said) == 2
        assert sum(": done; test/acc" in line for line in said) == 2
        assert "gpu None" not in done.stdout, "what the runs print is in their logs"


def test_a_job_that_is_warned_of_its_end_is_queued_again_and_done_by_the_next_start(snnlab, here):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    launcher = ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"]
    done = snnlab(*SWEEP, *launcher, "seed=1,2", WARNED="SIGUSR2")
    assert done.returncode == 0, done.stderr
    assert "2 done" in done.stdout
    assert len(list(here.glob("runs/*/*/seed*/warned"))) == 2
    logs = "".join(log.read_text() for log in here.rglob("*_log.*"))
    assert logs.count("Requeued job") == 2


def test_a_job_that_is_cancelled_is_not_queued_again(monkeypatch):
    called = []

    def checkpoint_and_try_requeue(number: int, frame: object) -> None:
        called.append(number)

    monkeypatch.setattr(requeue.signal, "getsignal", lambda number: checkpoint_and_try_requeue)
    requeue.requeue_if_warned("SIGUSR2")
    monkeypatch.setenv("SUBMITIT_FOLDER", "x")
    for reason in ("SIGTERM", "SIGINT", None):
        requeue.requeue_if_warned(reason)
    assert not called
    requeue.requeue_if_warned("SIGUSR1")
    assert called == [signal.SIGUSR1]


@pytest.mark.parametrize(("select", "best"), [("test/acc", "seed=3"), ("test/ece", "seed=")])
def test_a_search_goes_in_the_direction_of_the_metric_and_says_what_is_best(snnlab, here, select, best):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1", "seed=range(0,4)"]
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
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    search = [
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.n_jobs=1",
        "seed=choice(5,6)",
    ]
    command = [sys.executable, "-m", "snnlab", *SWEEP, *search, "hydra.launcher.on_error=stop"]
    fault = {"SLOW": "1"} if code == 75 else {"CRASH": "tmc5"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **fault}
    ) as process:
        deadline = time.monotonic() + 60
        while code == 75 and not list(here.glob("runs/*/*/*/started")) and time.monotonic() < deadline:
            time.sleep(0.05)
        if code == 75:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == code
    assert f"1 {'interrupted' if code == 75 else 'failed'}" in out
    assert "written to" in out
    assert snnlab(*SWEEP, *search).returncode == 0


def test_a_failed_trial_is_said_at_the_end(snnlab, here):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    search = [
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.n_jobs=1",
        "seed=choice(5,6)",
    ]
    done = snnlab(*SWEEP, *search, CRASH="tmc5")
    assert done.returncode == 1
    again = json.loads(next(here.glob("runs/quickstart/sweep-*.json")).read_text())
    assert "failed" in json.dumps(again)


@pytest.mark.parametrize(("group", "name"), hydra_errors.OF_EXTRAS)
def test_a_missing_plugin_says_how_to_install_it(group, name):
    error = hydra_errors._unknown_choice(group, name, "", SearchPath.of([]))
    assert error.message == f"{group}={name} is not installed"
    assert f"spiking-lab[{hydra_errors.OF_EXTRAS[group, name]}]" in error.hint


def test_hydras_loader_survives_pickling():
    """Launchers hand it to other processes."""
    with loader(SearchPath.of([])) as hydra_loader:
        copy = pickle.loads(pickle.dumps(hydra_loader.repository))
    assert type(copy) is type(hydra_loader.repository)
