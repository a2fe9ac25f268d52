"""`trainer.max_steps` and the limits of an epoch, in runs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab.cli import main
from snnlab.runs.results import read_metrics

SMALL = (
    "+experiment=quickstart",
    "model.channels=[4,8]",
    "num_steps=2",
    "trainer.epochs=3",
    "trainer.synthetic=true",
    "trainer.batch_size=32",
    "trainer.threads=1",
    "trainer.plots=false",
    "trainer.progress=none",
)


def train(runs: Path, *more: str) -> Path:
    """The directory of a run of 3 epochs of 8 steps."""
    assert main(["train", *SMALL, f"paths.runs={runs}", *more]) == 0
    (file,) = runs.rglob("result.json")
    return file.parent


def result(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return content


def steps(folder: Path) -> list[tuple[str, int, int]]:
    return [(row["split"], row["epoch"], row["step"]) for row in read_metrics(folder)]


def test_max_steps_are_those_of_the_whole_run(tmp_path: Path) -> None:
    folder = train(tmp_path, "trainer.max_steps=11")
    assert steps(folder) == [("train", 1, 8), ("test", 1, 8), ("train", 2, 11), ("test", 2, 11)]
    found = result(folder)
    assert (found["epochs"], found["num_test"]) == (2, 32)
    assert found["selection"]["last"] == "after epoch 2"


def test_a_run_of_fewer_steps_is_the_start_of_the_whole_run(tmp_path: Path) -> None:
    short, whole = train(tmp_path / "short", "trainer.max_steps=8"), train(tmp_path / "whole")
    assert read_metrics(short) == read_metrics(whole)[:2]


def test_a_limited_run_that_was_stopped_goes_on_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = ("trainer.max_steps=11", "trainer.checkpoint_every=1")
    whole = train(tmp_path / "whole", *limit)
    from snnlab.train.learner import Learner

    original, done = Learner.step, []

    def step(self: Learner, *args: Any) -> Any:
        done.append(1)
        if len(done) == 10:
            raise KeyboardInterrupt
        return original(self, *args)

    monkeypatch.setattr(Learner, "step", step)
    assert main(["train", *SMALL, f"paths.runs={tmp_path / 'cut'}", *limit]) == 75
    monkeypatch.setattr(Learner, "step", original)
    cut = train(tmp_path / "cut", *limit)
    assert read_metrics(cut) == read_metrics(whole)
    saved = [torch.load(one / "checkpoints/last.pt", weights_only=True) for one in (cut, whole)]
    for a, b in zip(*(one["learner"]["model"].values() for one in saved), strict=True):
        assert torch.equal(a, b)


def test_limits_of_an_epoch_count_batches(tmp_path: Path) -> None:
    folder = train(tmp_path, "trainer.limit_train_batches=5", "trainer.accumulate=2", "trainer.epochs=2")
    assert [one[2] for one in steps(folder)] == [3, 3, 6, 6]


@pytest.mark.parametrize("draw", ["stratified", "first"])
def test_a_limited_evaluation_is_the_same_for_any_batch_and_in_eval(draw: str, tmp_path: Path) -> None:
    settings = (
        "dataset=digits_dvs",
        "trainer.synthetic=false",
        "trainer.max_steps=2",
        "trainer.batch_size=10",
        "trainer.limit_test_batches=5",
        f"trainer.limit_draw={draw}",
    )
    folders = [train(tmp_path / f"{n}", *settings, f"trainer.eval_batch_size={n}") for n in (1, 7, 64)]
    first, *others = map(result, folders)
    assert first["num_test"] == 50
    assert first["split"] == f"stratified80_seed0 (50 of 360, {draw})"
    for other in others:
        assert other["last"] == pytest.approx(first["last"], rel=1e-5)
    confusion = json.loads((folders[0] / "evaluation.json").read_text())["confusion"]
    assert sum(map(sum, confusion)) == 50
    if draw == "stratified":
        assert all(4 <= sum(row) <= 6 for row in confusion)
    assert main(["eval", f"run={folders[0]}"]) == 0
    (measured,) = folders[0].glob("eval-last-*.json")
    again = json.loads(measured.read_text())["metrics"]
    assert again == pytest.approx({key: first["last"][key] for key in again}, rel=1e-5)


def test_a_fit_of_few_batches_sees_all_classes(tmp_path: Path) -> None:
    folder = train(
        tmp_path, "trainer.synthetic=false", "trainer.overfit_batches=1", "trainer.epochs=1", "augment=none"
    )
    confusion = json.loads((folder / "evaluation.json").read_text())["confusion"]
    assert all(3 <= sum(row) <= 4 for row in confusion)
