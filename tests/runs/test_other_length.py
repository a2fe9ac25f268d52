"""More epochs of a finished run are another run, which is said with what to do instead."""

from pathlib import Path

import pytest

from snnlab.cli import main
from snnlab.runs.load import load
from snnlab.runs.other_length import runs_of_other_length
from tests.tiny_runs import TINY


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    assert main(["train", *TINY, f"paths.runs={root}"]) == 0
    return root


def found(runs: Path, *settings: str) -> int:
    return len(runs_of_other_length(load([*TINY, f"paths.runs={runs}", *settings])))


def test_runs_that_differ_in_their_length_only_are_found(runs):
    assert found(runs, "trainer.epochs=2") == 1
    assert found(runs, "trainer.max_steps=3") == 1
    assert found(runs) == 0, "the run itself"
    for other in ("seed=1", "optimizer.lr=0.1", "loss=tet", "num_steps=3"):
        assert found(runs, "trainer.epochs=2", other) == 0


def test_the_log_of_the_new_run_names_it_and_the_way_to_start_from_it(runs, capsys):
    (folder,) = runs.glob("*/*/seed0")
    assert main(["train", *TINY, f"paths.runs={runs}", "trainer.epochs=2", "trainer.max_steps=1"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "starts anew" in line]
    assert f"{folder} with its 1 epoch is another run" in line
    assert f"init.run={folder} starts from its weights" in line
    (new,) = set(runs.glob("*/*/seed0")) - {folder}
    assert line in (new / "log.txt").read_text()


def test_only_the_longest_shorter_run_is_named_and_no_longer_one(tmp_path, capsys):
    def noted(*settings):
        capsys.readouterr()
        assert main(["train", *TINY, f"paths.runs={tmp_path}", *settings]) == 0
        return [line for line in capsys.readouterr().out.splitlines() if "starts anew" in line]

    assert noted("trainer.epochs=3", "trainer.max_steps=1") == []
    assert noted("trainer.max_steps=1") == [], "shorter than the other"
    (line,) = noted("trainer.epochs=3", "trainer.max_steps=2")
    assert "a finished run is not continued, so " in line
    assert "with its 1 step is another run" in line
    (line,) = noted("trainer.epochs=4", "trainer.max_steps=1")
    assert "the schedule is made for all epochs, so " in line
    assert "with its 2 steps is another run" in line
