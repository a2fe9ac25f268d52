"""Sweeps under Hydra's other launchers and sweepers: the same table and exit code, whoever starts the jobs."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
import tomllib

import pytest

from snnlab.cli import main
from snnlab.config import hydra_errors
from snnlab.config.compose import loader
from snnlab.config.search import SearchPath
from snnlab.sweep import requeue
from tests.cli.conftest import ROOT

pytestmark = pytest.mark.usefixtures("stand_in")
SWEEP = ["train", "-m", "+experiment=quickstart", "paths.runs=runs"]


OTHERS = {"joblib": ["hydra.launcher.n_jobs=2"], "submitit_local": ["hydra.launcher.timeout_min=5"]}


def started(words, **environment):
    """A command in a group of processes of its own, as a terminal starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "snnlab", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def wait_for(found, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


def need_plugin(launcher):
    if launcher in OTHERS:
        pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")


@pytest.mark.parametrize("launcher", OTHERS)
def test_a_sweep_under_another_launcher(snnlab, here, launcher):
    need_plugin(launcher)
    options = OTHERS[launcher]
    done = snnlab(*SWEEP, f"hydra/launcher={launcher}", *options, "seed=1,2")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| quickstart"))
    assert "65.00 +- 7.07" in row
    assert "2 done" in row
    assert len(list(here.glob("runs/quickstart/*/seed[12]/result.json"))) == 2
    started = [line for line in done.stdout.splitlines() if "] seed=" in line and ": started" in line]
    assert len(started) == 2, done.stdout
    for line in started:
        assert "; run runs/quickstart/" in line
        assert (here / line.rpartition("log ")[2]).read_text().startswith("gpu "), "its output is in its log"
    assert len(re.findall(r"^\[\d/2\] seed=\d: done in \d+ s; test/acc", done.stdout, re.M)) == 2
    assert "gpu " not in done.stdout
    again = snnlab(*SWEEP, f"hydra/launcher={launcher}", *options, "seed=1,2")
    assert len(re.findall(r"^\[\d/2\] seed=\d: done before; test/acc", again.stdout, re.M)) == 2, again.stdout


@pytest.mark.parametrize("launcher", ["process", *OTHERS])
def test_jobs_that_fail_or_are_stopped_are_told_alike(snnlab, here, launcher):
    need_plugin(launcher)
    done = snnlab(
        *SWEEP, f"hydra/launcher={launcher}", *OTHERS.get(launcher, ()), "seed=1,2,3", BAD="1", TERMED="2"
    )
    assert done.returncode == 75, done.stdout + done.stderr
    assert "1 done, 1 failed, 1 interrupted" in done.stdout
    assert "- failed: seed=1: dataset.folder: it is gone\n" in done.stdout
    assert "Traceback" not in done.stderr
    again = snnlab(*SWEEP, f"hydra/launcher={launcher}", *OTHERS.get(launcher, ()), "seed=1,2,3")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "3 done" in again.stdout, "what an earlier sweep has left of their ends counts no more"


def test_a_stop_signal_stops_a_sweep_in_this_process(snnlab):
    done = snnlab(*SWEEP, "hydra/launcher=basic", "seed=1,2,3", BAD="1", TERMED="2")
    assert done.returncode == 75, done.stdout + done.stderr
    assert "1 failed, 1 interrupted, 1 not run" in done.stdout


@pytest.mark.parametrize("launcher", ["process", *OTHERS])
def test_a_job_that_is_killed_is_told_alike_and_takes_no_other_with_it(snnlab, here, launcher):
    need_plugin(launcher)
    done = snnlab(*SWEEP, f"hydra/launcher={launcher}", *OTHERS.get(launcher, ()), "seed=1,2,3", KILLED="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    assert re.search(r"^\[1/3\] seed=1: FAILED after \d+ s, killed by SIGKILL$", done.stdout, re.M)
    assert "2 done, 1 failed" in done.stdout
    assert "- failed: seed=1: killed by SIGKILL\n" in done.stdout


def test_a_worker_that_is_gone_leaves_an_error_and_a_table(here):
    """It is what submitit or joblib lose, rather than the job."""
    need_plugin("submitit_local")
    command = [*SWEEP, "hydra/launcher=submitit_local", *OTHERS["submitit_local"], "seed=1,2"]
    with started(command, SLOW="1") as process:
        assert wait_for(lambda: len(list(here.glob("runs/*/*/*/started"))) == 2)
        folders = {one.parent for one in here.glob("runs/*/*/*/started")}
        controllers = [int(file.name.partition("_")[0]) for file in here.rglob("*_submitted.pkl")]
        listed = ["pgrep", "-P", ",".join(map(str, controllers))]
        workers = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
        for pid in [*controllers, *map(int, workers)]:
            os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    assert err.startswith("error: hydra/launcher=submitit_local: ")
    assert err.count("\n") == 2, "one hint, no traceback"
    assert "2 failed" in out
    assert "- failed: seed=1: its process ended without a word" in out
    assert wait_for(lambda: all((one / "stopped").exists() for one in folders), 10), (
        "jobs end with their workers"
    )


@pytest.mark.parametrize(
    ("number", "to_all"), [("SIGINT", False), ("SIGINT", True), ("SIGTERM", True), ("SIGKILL", False)]
)
def test_jobs_of_joblib_save_themselves_when_the_sweep_is_stopped(here, number, to_all):
    need_plugin("joblib")
    with started([*SWEEP, "hydra/launcher=joblib", *OTHERS["joblib"], "seed=1,2,3"], SLOW="1") as process:
        assert wait_for(lambda: len(list(here.glob("runs/*/*/*/started"))) == 2)
        folders = [one.parent for one in here.glob("runs/*/*/*/started")]
        (os.killpg if to_all else os.kill)(process.pid, signal.Signals[number])
        out, err = process.communicate(timeout=60)
    assert wait_for(lambda: all((one / "stopped").exists() for one in folders), 10), (
        "they would go on for 20 s"
    )
    assert len(list(here.glob("runs/*/*/*/started"))) == 2, "no other is started"
    if number != "SIGKILL":
        assert process.returncode == 75, out + err
        assert "Traceback" not in err
        assert f"{number}: the sweep stops when" in out
        assert "2 interrupted, 1 not run" in out
        assert not list(here.rglob("*.signals"))


def test_jobs_of_submitit_stay_when_the_sweep_is_stopped(here):
    need_plugin("submitit_local")
    launcher = ["hydra/launcher=submitit_local", *OTHERS["submitit_local"]]
    with started([*SWEEP, *launcher, "seed=1,2"], SLOW="1") as process:
        assert wait_for(lambda: len(list(here.rglob("*_submitted.pkl"))) == 2)
        os.killpg(process.pid, signal.SIGINT)  # a terminal's Ctrl-C, before the jobs have begun
        assert wait_for(lambda: list(here.glob("runs/quickstart/sweep-*.md")))
        assert wait_for(lambda: len(list(here.glob("runs/*/*/*/started"))) == 2), "they go on"
        for file in here.rglob("*_submitted.pkl"):
            os.kill(int(file.name.partition("_")[0]), signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 75, out + err
    assert "Traceback" not in err
    assert "2 running elsewhere" in out
    assert "- running elsewhere: seed=1: the queue of the launcher" in out


def test_jobs_under_joblib_have_the_threads_of_a_run_alone(snnlab, here, monkeypatch):
    need_plugin("joblib")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    done = snnlab(*SWEEP, "hydra/launcher=joblib", *OTHERS["joblib"], "seed=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one.read_text() for one in here.glob("runs/quickstart/*/seed*/threads")] == ["None", "None"]


def test_a_job_that_may_not_be_queued_again_is_an_interrupted_one(monkeypatch):
    errors = pytest.importorskip("submitit.core.utils")

    def checkpoint_and_try_requeue(number: int, frame: object) -> None:
        raise errors.UncompletedJobError("timed-out too many times")

    monkeypatch.setattr(requeue.signal, "getsignal", lambda number: checkpoint_and_try_requeue)
    monkeypatch.setenv("SUBMITIT_FOLDER", "x")
    requeue.requeue_if_warned("SIGUSR1")


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


def test_a_folder_of_choices_is_no_choice(here, capsys):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    for group, name in (
        ("hydra/sweeper", "sampler"),
        ("hydra/sweeper", "samplr"),
        ("hydra/launcher", "sampler"),
    ):
        assert main([*SWEEP, f"{group}={name}", "seed=1,2"]) == 2
        error, hint = capsys.readouterr().err.splitlines()
        assert error == f"error: {group}: unknown choice '{name}'"
        assert hint.startswith("hint: choose one of: basic, ")
        assert "sampler" not in hint


@pytest.mark.parametrize(("group", "name"), hydra_errors.PLUGINS)
def test_a_missing_plugin_says_how_to_install_it(group, name, monkeypatch):
    monkeypatch.setattr(hydra_errors, "find_spec", lambda module: None)
    error = hydra_errors._unknown_choice(group, name, "", SearchPath.of([]))
    plugin = hydra_errors.PLUGINS[group, name]
    assert error.message == f"{group}={name} is not installed"
    assert f"pip install -e '.[{plugin.extra}]'" in error.hint
    assert error.hint.endswith(" ".join(plugin.packages))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [re.split("[<>=]", one)[0] for one in project["optional-dependencies"][plugin.extra]]
    assert listed == [re.split("[<>=]", one.strip("'"))[0] for one in plugin.packages]


def test_ray_that_is_missing_is_one_error(here, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*SWEEP, "hydra/launcher=ray", "seed=1,2"]) == 2
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "error: hydra/launcher=ray needs the package 'ray', which is not installed",
        "hint: in the clone: pip install -e '.[ray]', or anywhere: pip install ray",
    ]


def test_hydras_loader_survives_pickling():
    """Launchers hand it to other processes."""
    with loader(SearchPath.of([])) as hydra_loader:
        copy = pickle.loads(pickle.dumps(hydra_loader.repository))
    assert type(copy) is type(hydra_loader.repository)
