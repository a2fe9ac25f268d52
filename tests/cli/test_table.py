"""`snnlab table`: plan, run with stand-in training, print, mistakes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import ROOT

# A teacher, its student, and what is measured on the student afterwards.
DISTILLED = """
title: A student
source: Nobody (2026), Table 4
seeds: [0]
columns:
  - {name: Acc, metric: measured/acc}
rows:
  - labels: [Student]
    run:
      experiment: quickstart
      overrides: [loss=skd]
      teacher: {experiment: quickstart}
      measure: eval
      measured: eval.json
    published: [1]
"""
# Asks for what no run measures.
EMPTY = """
# A mistake
title: A mistake
source: Nobody (2026), Table 5
seeds: [0]
columns: [{name: Acc, metric: test/accuracy}]
rows: [{labels: [SDT], run: {experiment: quickstart, overrides: [loss=sdt]}, published: [1]}]
"""
# Stands in for `snnlab eval`.
EVAL = """
from pathlib import Path
from types import ModuleType

EXAMPLES = ()

def add_arguments(parser):
    parser.add_argument("run")
    parser.add_argument("data")

def measure(args):
    folder = Path(args.run.removeprefix("run="))
    if "SLOW_EVAL" in os.environ:
        (folder / "started").touch()
        time.sleep(20)
    (folder / "eval.json").write_text('{"acc": 0.75}')
    return 0

module = ModuleType("snnlab.verbs.eval", "Measure")
module.run, module.add_arguments, module.EXAMPLES = measure, add_arguments, EXAMPLES
sys.modules["snnlab.verbs.eval"] = module
"""
# Leaves of a stand-in run what makes it a teacher.
TEACHER = """
def run_and_store(cfg):
    import yaml
    from snnlab.runs.identity import run_dir
    code = run(cfg)
    folder = run_dir(cfg)
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints/last.pt").write_text("weights")
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(cfg.raw)))
    return code

recipe.run = run_and_store
"""


def test_plan_needs_no_torch(snnlab, here):
    done = snnlab("table", "digits_losses", "--plan", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert "9: 0 done, 9 missing" in done.stdout
    assert "comes with the packages" in done.stdout
    assert "| torch\n" not in done.stderr


@pytest.mark.usefixtures("stand_in")
def test_run_fills_the_table_and_runs_nothing_twice(snnlab, here):
    done = snnlab(
        "table", "digits_losses", "seeds=0,1", "--run", "--format", "md", "hydra.launcher.workers=2"
    )
    assert done.returncode == 0, done.stderr
    assert "| SDT  | acc %  |" in done.stdout
    assert "55.00 +- 7.07" in done.stdout
    assert len(list(here.glob("runs/*/*/*/result.json"))) == 6
    again = snnlab("table", "digits_losses", "seeds=0,1", "--run", "--output", "out.json", "--format", "json")
    assert again.returncode == 0
    assert "started" not in again.stdout
    assert json.loads((here / "out.json").read_text())["seeds"] == [0, 1]


@pytest.mark.usefixtures("stand_in")
def test_a_failed_run_leaves_its_cell_empty(snnlab):
    done = snnlab("table", "digits_losses", "seeds=0", "--run", CRASH="tet0")
    assert done.returncode == 1
    assert "what a pity" in done.stdout
    assert "9 of 12" not in done.stdout
    assert "8 of 12 cells have all their runs" in done.stdout
    assert "Not done, and tried again by the same command:\n" in done.stderr
    assert "    +experiment=quickstart loss=tet seed=0: could not start, see above" in done.stderr


@pytest.mark.usefixtures("stand_in")
def test_a_number_that_finished_runs_do_not_have_is_said(snnlab, here):
    (here / "own/table").mkdir(parents=True)
    (here / "own/table/empty.yaml").write_text(EMPTY)
    done = snnlab("table", "empty", "--run", "--config-dir", "own")
    assert done.returncode == 1
    assert "empty: no number for 'SDT', 'Acc' in its runs: test/accuracy" in done.stderr
    assert snnlab("table", "empty", "--config-dir", "own").returncode == 0


@pytest.mark.usefixtures("stand_in")
def test_any_launcher_of_hydra_will_do(snnlab, here):
    done = snnlab("table", "digits_losses", "seeds=0", "--run", "hydra/launcher=basic", CRASH="tet0")
    assert done.returncode == 1
    assert "8 of 12 cells have all their runs" in done.stdout


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("slow", "launcher"), [("SLOW", "process"), ("SLOW", "basic"), ("SLOW_EVAL", "process")]
)
def test_a_stopped_table_continues(snnlab, here, slow, launcher):
    """Stopped while the teacher is trained, or while the student is measured."""
    (here / "site/sitecustomize.py").open("a").write(EVAL + TEACHER)
    (here / "mine/table").mkdir(parents=True)
    (here / "mine/table/distilled.yaml").write_text(DISTILLED)
    command = ["table", "distilled", "--run", "--config-dir=mine", f"hydra/launcher={launcher}"]
    started = {"SLOW": "runs/quickstart/*-tmc-*/seed0/started", "SLOW_EVAL": "runs/*/*-skd-*/seed0/started"}
    with subprocess.Popen(
        [sys.executable, "-m", "snnlab", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, slow: "1"},
    ) as process:
        deadline = time.monotonic() + 30
        while not list(here.glob(started[slow])) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 75
    assert "Stopped. The same command continues." in err
    done = snnlab(*command)
    assert done.returncode == 0, done.stderr
    assert "75.00" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tcm_1"], "Did you mean 'tmc_1'?"),
        ([], "give one name"),
        (["tmc_1", "scale=shrot"], "Did you mean 'short'?"),
        (["tmc_1", "--format", "tex"], "unknown choice 'tex'"),
        (["tmc_1", "seeds=a"], "seeds: expected integers, got 'a'"),
        (["tmc_1", "--plan", "trainer.epoch=1"], "Did you mean 'epochs'?"),
        (["--all", "--format", "csv"], "several tables are several files"),
        (["tmc_1", "--from", "nowhere.json"], "no such file: nowhere.json"),
        (["tmc_1", "--from", str(ROOT / "results/digits_losses.json")], "no cell 'SDT', 'T=1 Acc'"),
        (["tmc_1", "scale=smoke", "--from", str(ROOT / "results/tmc_1-short.json")], "has its scale"),
        (["tmc_1", "--run", "--from", str(ROOT / "results/tmc_1-short.json")], "has its scale"),
        (["tmc_1", "--from", str(ROOT / "README.md")], "not a table as JSON"),
    ],
)
def test_mistakes(snnlab, arguments, message):
    done = snnlab("table", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_report_says_what_is_wrong(snnlab, here):
    done = snnlab("report", "nowhere")
    assert done.returncode == 2
    assert "no such directory" in done.stderr
    (here / "runs").mkdir()
    assert "no run in" in snnlab("report", "runs").stderr
