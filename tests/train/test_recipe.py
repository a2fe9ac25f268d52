"""The run as a whole, by the command a person types: done, repeated, killed, interrupted, diverged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FEW_STEPS = (
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.batch_size=16",
    "trainer.limit_train_batches=5",
    "trainer.device=cpu",
    "trainer.threads=1",
    "trainer.plots=false",
    "trainer.checkpoint_every=2",
    "trainer.keep=all",  # so that tests can compare the optimiser's state at the end
)
SMALL = ("+experiment=quickstart", "num_steps=2", "model.channels=[4,4,4,4]", *FEW_STEPS)

# Runs the real command line, but sends this process a signal within the n-th training step.
SIGNAL_AT_STEP = """
import os, signal, sys
from snnlab.train.learner import Learner
number, at = int(sys.argv[1]), int(sys.argv[2])
original, steps = Learner.step, 0
def step(self, *args):
    global steps
    steps += 1
    if steps == at:
        os.kill(os.getpid(), number)
    return original(self, *args)
Learner.step = step
from snnlab.cli import main
sys.exit(main(["train", *sys.argv[3:]]))
"""


def train(
    runs: Path,
    *overrides: str,
    settings: tuple[str, ...] = SMALL,
    signal_at: tuple[int, int] | None = None,
) -> subprocess.CompletedProcess[str]:
    start = ["-m", "snnlab", "train"] if signal_at is None else ["-c", SIGNAL_AT_STEP, *map(str, signal_at)]
    return subprocess.run(
        [sys.executable, *start, *settings, f"paths.runs={runs}", *overrides],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def run_folder(runs: Path) -> Path:
    (config,) = runs.glob("*/*/seed*/config.yaml")
    return config.parent


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def state(folder: Path) -> dict[str, object]:
    saved = torch.load(folder / "checkpoints" / "last.pt", weights_only=True)
    return {**saved["learner"], "random": saved["random"]}


def assert_same(a: object, b: object) -> None:
    if isinstance(a, dict) and isinstance(b, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    runs = tmp_path_factory.mktemp("straight")
    done = train(runs)
    assert done.returncode == 0, done.stderr
    return run_folder(runs)


def test_a_run_leaves_its_record(straight: Path) -> None:
    result = json.loads((straight / "result.json").read_text())
    assert result["status"] == "done"
    assert json.loads((straight / "status.json").read_text())["status"] == "done"
    assert result["seed"] == 0
    assert result["epochs"] == 2
    assert result["split"]
    assert result["num_test"] == 32
    assert {"test/acc_step/t1", "test/acc_cum/t2", "test/ece_cum/t2", "test/cece_step/t1"} <= result[
        "last"
    ].keys()
    assert any(key.startswith("test/firing_rate/") for key in result["last"])
    stored = json.loads((straight / "evaluation.json").read_text())
    assert sum(map(sum, stored["confusion"])) == result["num_test"]
    assert sum(stored["reliability"]["cum"]["count"][-1]) == result["num_test"]
    assert len(stored["classes"]) == len(stored["confusion"])
    assert 0 < result["last"]["test/firing_rate/t1"] < 1
    assert result["best"]["test/acc"] == max(
        row["test/acc"] for row in rows(straight) if row["split"] == "test"
    )
    assert [(row["split"], row["epoch"], row["step"]) for row in rows(straight)] == [
        ("train", 1, 5),
        ("test", 1, 5),
        ("train", 2, 10),
        ("test", 2, 10),
    ]
    log = (straight / "log.txt").read_text()
    assert [line[:9] for line in log.splitlines() if line.startswith("epoch")] == ["epoch 1/2", "epoch 2/2"]
    for name in ("config.yaml", "overrides.txt", "env.json", "log.txt", "checkpoints/best.pt"):
        assert (straight / name).stat().st_size > 0, name


def test_the_same_command_again_returns_the_stored_result(straight: Path) -> None:
    before = (straight / "checkpoints/last.pt").stat().st_mtime_ns
    again = train(straight.parents[2])
    assert again.returncode == 0
    assert "acc" in again.stdout
    assert (straight / "checkpoints/last.pt").stat().st_mtime_ns == before


def test_killed_in_the_middle_of_an_epoch_equals_uninterrupted(straight: Path, tmp_path: Path) -> None:
    killed = train(tmp_path, signal_at=(9, 8))
    assert killed.returncode == -9
    assert len(rows(run_folder(tmp_path))) == 2
    continued = train(tmp_path)
    assert continued.returncode == 0, continued.stderr
    folder = run_folder(tmp_path)
    assert_same(state(folder), state(straight))
    assert rows(folder) == rows(straight)


def test_a_first_epoch_killed_before_any_checkpoint_starts_anew(straight: Path, tmp_path: Path) -> None:
    assert train(tmp_path, signal_at=(9, 2)).returncode == -9
    assert train(tmp_path).returncode == 0
    assert_same(state(run_folder(tmp_path)), state(straight))


@pytest.mark.parametrize("number", [2, 15])
def test_ctrl_c_and_sigterm_leave_a_resumable_run(straight: Path, tmp_path: Path, number: int) -> None:
    stopped = train(tmp_path, signal_at=(number, 4))
    folder = run_folder(tmp_path)
    assert stopped.returncode == 75, stopped.stderr
    assert json.loads((folder / "status.json").read_text())["status"] == "preempted"
    assert "Traceback" not in stopped.stderr
    assert train(tmp_path).returncode == 0
    assert_same(state(folder), state(straight))
    assert rows(folder) == rows(straight)


def test_a_diverged_run_names_the_first_bad_layer_and_fails(tmp_path: Path) -> None:
    failed = train(tmp_path, "optimizer=sgd", "optimizer.lr=3e38")
    assert failed.returncode == 1
    assert "the loss is not finite at step" in failed.stderr
    assert "first bad layer: " in failed.stderr
    assert failed.stderr.count("error: ") == failed.stderr.count("hint: ") == 1
    assert json.loads((run_folder(tmp_path) / "status.json").read_text())["status"] == "failed"


def test_a_result_counts_the_samples_it_measured_and_says_which(tmp_path: Path) -> None:
    assert train(tmp_path / "few", "trainer.limit_test_batches=1", "trainer.epochs=1").returncode == 0
    few = json.loads((run_folder(tmp_path / "few") / "result.json").read_text())
    assert few["num_test"] == 16
    assert few["split"] == "synthetic (16 of 32, stratified)"
    assert train(tmp_path / "fit", "trainer.overfit_batches=1", "trainer.epochs=1").returncode == 0
    fit = json.loads((run_folder(tmp_path / "fit") / "result.json").read_text())
    assert fit["split"] == "the training samples themselves"


def test_evaluations_with_different_settings_are_kept_apart(straight: Path) -> None:
    for setting in ("neuron.threshold=1.5", "neuron.threshold=0.5"):
        command = [sys.executable, "-m", "snnlab", "eval", f"run={straight}", setting]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    found = sorted(json.loads(path.read_text())["overrides"] for path in straight.glob("eval-last-t2-*.json"))
    assert found == [["neuron.threshold=0.5"], ["neuron.threshold=1.5"]]


def test_a_run_that_diverges_in_its_last_step_fails_too(tmp_path: Path) -> None:
    huge = ("optimizer=sgd", "optimizer.lr=3e38", "optimizer.weight_decay=1000")
    failed = train(tmp_path, *huge, "trainer.max_steps=1", "trainer.epochs=1")
    assert failed.returncode == 1
    assert "loss or weights are not finite at step 1" in failed.stderr
    folder = run_folder(tmp_path)
    assert not (folder / "result.json").exists()
    assert not (folder / "checkpoints" / "last.pt").exists()


def test_a_network_that_cannot_be_built_leaves_nothing_behind(tmp_path: Path) -> None:
    failed = train(tmp_path, "model.channels=[4]")
    assert failed.returncode == 2
    assert "come in pairs" in failed.stderr
    assert not list(tmp_path.iterdir())


def test_a_test_loss_that_is_not_a_number_is_a_failed_run(tmp_path: Path) -> None:
    huge = ("optimizer=sgd", "optimizer.lr=3e38", "optimizer.weight_decay=1")
    failed = train(tmp_path, *huge, "trainer.epochs=1", "trainer.max_steps=1")
    assert failed.returncode == 1
    assert "the test loss is not finite" in failed.stderr
    assert "hint: lower optimizer.lr" in failed.stderr
    assert not list(tmp_path.glob("*/*/*/result.json"))


def test_an_existing_run_can_be_refused_or_started_again(straight: Path) -> None:
    refused = train(straight.parents[2], "trainer.on_existing=fail")
    assert refused.returncode == 2
    assert "exists" in refused.stderr
    before = state(straight)
    again = train(straight.parents[2], "trainer.on_existing=restart")
    assert again.returncode == 0, again.stderr
    assert_same(state(straight), before)


def test_pictures_are_drawn_whatever_backend_a_notebook_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://not_installed.backend_inline")
    done = train(tmp_path, "trainer.plots=true", "trainer.epochs=1")
    assert done.returncode == 0, done.stderr
    assert (run_folder(tmp_path) / "plots" / "curves.png").stat().st_size > 1000
    assert "warning" not in done.stdout


def test_a_picture_that_fails_costs_a_warning_and_not_the_result(tmp_path: Path) -> None:
    code = """
import sys
from snnlab.train import report
def fail(session):
    raise ZeroDivisionError("no ink")
report.draw = fail
from snnlab.cli import main
sys.exit(main(["train", *sys.argv[1:]]))
"""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            *SMALL,
            f"paths.runs={tmp_path}",
            "trainer.plots=true",
            "trainer.epochs=1",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "warning: the plots are not complete: ZeroDivisionError: no ink" in done.stdout
    assert json.loads((run_folder(tmp_path) / "result.json").read_text())["status"] == "done"
