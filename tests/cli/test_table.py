"""`snnlab table`: plan, run with stand-in training, print, mistakes."""

import json

import pytest


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tcm_1"], "Did you mean 'tmc_1'?"),
        ([], "give one name"),
        (["tmc_1", "scale=shrot"], "Did you mean 'short'?"),
        (["tmc_1", "--format", "tex"], "unknown choice 'tex'"),
        (["tmc_1", "seeds=a"], "expected whole numbers"),
        (["tmc_1", "--plan", "trainer.epoch=1"], "Did you mean 'epochs'?"),
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
    assert "no finished run" in snnlab("report", "runs").stderr
