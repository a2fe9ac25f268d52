"""A finished run keeps its weights and not the optimiser's state, unless it is told to; it stays good for all else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab.cli import main
from snnlab.runs.verify import verify
from tests.tiny_runs import TINY
from tests.train.test_recipe import assert_same


def trained(root: Path, *settings: str) -> Path:
    assert main(["train", *TINY, f"paths.runs={root}", f"paths.data={root / 'data'}", *settings]) == 0
    (run,) = root.glob("*/*/seed*")
    return run


def last(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(run / "checkpoints/last.pt", weights_only=True)
    return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("all"), "trainer.keep=all")


def test_the_weights_are_those_of_a_run_that_keeps_all(run: Path, whole: Path) -> None:
    there, here = last(run)["learner"], last(whole)["learner"]
    assert there["optimizer"] is None
    assert here["optimizer"]["state"]
    assert_same({**here, "optimizer": None}, there)
    assert run.parent.name == whole.parent.name
    smaller, larger = ((one / "checkpoints/last.pt").stat().st_size for one in (run, whole))
    assert smaller < larger
    assert verify(run) == []


def test_it_can_be_measured_exported_and_started_from(run: Path, tmp_path: Path) -> None:
    assert main(["eval", f"run={run}"]) == 0
    assert main(["export", f"run={run}"]) == 0
    second = trained(tmp_path, f"init.run={run}", "seed=1", "optimizer.lr=1e-30")
    for name, weights in last(run)["learner"]["model"].items():
        if name.endswith("weight"):
            assert torch.allclose(weights, last(second)["learner"]["model"][name], atol=1e-6)


def test_a_run_that_was_killed_before_its_result_was_written_ends_from_its_weights(
    run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "quickstart" / run.parent.name / "seed0"
    shutil.copytree(run, copy)
    result = json.loads((copy / "result.json").read_text())
    (copy / "result.json").unlink()
    (copy / "status.json").write_text('{"status": "running"}')
    before = last(copy)
    assert trained(tmp_path) == copy
    again = json.loads((copy / "result.json").read_text())
    assert (again["last"], again["best"]) == (result["last"], result["best"])
    assert_same(last(copy)["learner"], before["learner"])


def test_weights_alone_are_no_state_to_train_on_from(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "quickstart" / run.parent.name / "seed0"
    shutil.copytree(run, copy)
    (copy / "result.json").unlink()
    content = last(copy)
    content["position"]["epoch"] = 0
    torch.save(content, copy / "checkpoints/last.pt")
    assert main(["train", *TINY, f"paths.runs={tmp_path}", f"paths.data={run.parents[2] / 'data'}"]) == 2
    error = capsys.readouterr().err
    assert "has the weights of a finished run only" in error
    assert "trainer.on_existing=restart" in error


def test_a_run_that_goes_on_keeps_the_optimiser_until_its_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snnlab.runs import files

    held = []
    original = files.RunFiles.save_checkpoint

    def save(self: files.RunFiles, name: str, content: dict[str, Any]) -> None:
        if name == "last":
            held.append(content["learner"]["optimizer"] is not None)
        original(self, name, content)

    monkeypatch.setattr(files.RunFiles, "save_checkpoint", save)
    trained(tmp_path, "trainer.epochs=3", "trainer.limit_train_batches=2", "trainer.checkpoint_every=2")
    assert held == [True, True, True, True, True, False]
