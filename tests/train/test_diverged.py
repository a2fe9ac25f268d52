"""What a run with far too high a learning rate leaves: no spoilt checkpoint, one error with a hint, a warning."""

import json
from pathlib import Path

import pytest
import torch

from snnlab.cli import main
from snnlab.train.guard import bad_values

SMALL = (
    "+experiment=quickstart",
    "model.channels=[4,8]",
    "num_steps=2",
    "trainer.synthetic=true",
    "trainer.batch_size=16",
    "trainer.threads=1",
    "trainer.plots=false",
    "trainer.progress=none",
)


def train(runs: Path, *more: str) -> int:
    return main(["train", *SMALL, f"paths.runs={runs}", *more])


def checkpoints(runs: Path) -> list[Path]:
    return list(runs.rglob("*.pt"))


@pytest.mark.parametrize("more", [(), ("trainer.accumulate=2",), ("trainer.checkpoint_every=1",)], ids=str)
@pytest.mark.parametrize(
    "diverging",
    [
        ("optimizer.lr=1e30", "trainer.epochs=1"),
        ("optimizer=sgd", "optimizer.lr=1e6", "trainer.epochs=8"),
        ("optimizer=sgd", "optimizer.lr=3e38", "trainer.epochs=1"),
    ],
    ids=str,
)
def test_no_state_that_is_not_finite_is_saved(
    diverging: tuple[str, ...], more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, *diverging, *more) == 1, "as documented: a run that failed"
    said = capsys.readouterr().err
    assert said.count("error: ") == said.count("hint: ") == 1
    assert "not finite at step" in said
    assert "first bad layer: none" not in said
    assert not list(tmp_path.rglob("result.json"))
    for file in checkpoints(tmp_path):
        assert not bad_values(torch.load(file, weights_only=True)), file.name


def test_a_finite_loss_that_has_grown_is_a_warning_in_log_and_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("optimizer.lr=1e8", "trainer.epochs=1")
    assert train(tmp_path, *settings) == 0
    (result,) = tmp_path.rglob("result.json")
    (warning,) = json.loads(result.read_text())["warnings"]
    assert "the run diverges" in warning
    assert f"warning: {warning}" in (result.parent / "log.txt").read_text()
    assert f"warning: {warning}" in capsys.readouterr().out
    assert train(tmp_path, *settings) == 0
    assert f"warning: {warning}" in capsys.readouterr().out, "a stored result says it again"


def test_a_sound_run_has_no_warning_and_says_its_threads(tmp_path: Path) -> None:
    assert train(tmp_path, "trainer.epochs=1") == 0
    (result,) = tmp_path.rglob("result.json")
    found = json.loads(result.read_text())
    assert "warnings" not in found
    assert found["threads"] == 1


@pytest.mark.parametrize(
    "setting", ["optimizer.lr=1e300", "optimizer.weight_decay=1e39", "neuron.threshold=1e200"]
)
def test_a_number_beyond_float32_is_refused(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, setting) == 2
    assert "beyond the numbers of float32" in capsys.readouterr().err


def test_a_step_size_that_overflows_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Adam divides by its bias correction, so a rate within float32 becomes a step beyond it."""
    assert train(tmp_path, "optimizer=adam", "optimizer.lr=3e38", "trainer.epochs=1") == 1
    assert "error: the optimiser's step overflows" in capsys.readouterr().err


def test_debug_nan_says_nothing_on_a_sound_run(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Kernels are traced with made-up numbers, whose gradients are no fault of the network."""
    from snnlab.kernels.cpu import backend

    backend._kernels.clear()
    assert train(tmp_path, "debug=nan", "trainer.epochs=1", "neuron=plif", "surrogate=atan") == 0
    assert not [one for one in recwarn if "Error detected" in str(one.message)]
