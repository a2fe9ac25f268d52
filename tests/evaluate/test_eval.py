"""`snnlab eval` on small trained runs: ranges of time steps, early exit, and what cannot be done."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snnlab.cli import main
from snnlab.evaluate import passes, stored_run
from tests.train.again import Again

SMALL = (
    "model.channels=[4,8]",
    "neuron.threshold=0.5",
    "loss=tet",
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.batch_size=16",
    "trainer.limit_train_batches=6",
    "trainer.limit_test_batches=6",
    "trainer.device=cpu",
    "trainer.plots=false",
    "trainer.progress=none",
)
Trained = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trains a run of its own for each set of overrides and returns its directory."""
    runs: dict[tuple[str, ...], Path] = {}

    def train(*overrides: str) -> Path:
        if overrides not in runs:
            folder = tmp_path_factory.mktemp("runs")
            assert main(["train", *SMALL, *overrides, f"paths.runs={folder}"]) == 0
            (runs[overrides],) = folder.glob("*/*/seed0")
        return runs[overrides]

    return train


def read(folder: Path, name: str) -> dict[str, Any]:
    """The file of an evaluation; its name ends in the hash of the configuration."""
    (path,) = folder.glob(f"{name}-????????.json")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def single(folder: Path, steps: int) -> dict[str, float]:
    assert main(["eval", f"run={folder}", f"num_steps={steps}"]) == 0
    metrics: dict[str, float] = read(folder, f"eval-last-t{steps}")["metrics"]
    return metrics


def with_stand_in(monkeypatch: pytest.MonkeyPatch) -> Again:
    """Lets `snnlab eval` find what stands in for CUDA graphs, unless they are off."""
    capture = Again()
    monkeypatch.setattr(
        passes, "capture_for", lambda trainer, device: None if trainer.cuda_graph == "off" else capture
    )
    return capture


MEASUREMENTS: dict[str, tuple[str, ...]] = {
    "one number of steps": (),
    "a range in one pass": ("num_steps=1..3",),
    "noise": ("noise=gaussian", "noise.level=[0,0.5]"),
    "robustness": ("robustness=[clean,gaussian,contrast]", "robustness.severities=[2]"),
    "variants": ("neuron.threshold=[0.5,0.7]",),
    "early exit": ("early_exit.threshold=[0.12,1]",),
}


def measured(folder: Path, *overrides: str) -> dict[str, Any]:
    """What an evaluation writes, but for what differs between two of them; its file is removed."""
    before = {path.name for path in folder.glob("*.json")}
    assert main(["eval", f"run={folder}", "trainer.limit_test_batches=2", *overrides]) == 0
    (path,) = [one for one in folder.glob("*.json") if one.name not in before]
    content: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return {key: value for key, value in content.items() if key not in ("overrides", "all_steps_seconds")}


@pytest.mark.parametrize("asked", MEASUREMENTS)
def test_every_measurement_with_graphs_is_the_one_without(
    trained: Trained, asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, overrides = trained("dataset=digits", "num_steps=3"), MEASUREMENTS[asked]
    plain = measured(folder, *overrides)
    assert "cuda_graph" not in plain
    assert "cuda graph" not in capsys.readouterr().out
    capture = with_stand_in(monkeypatch)
    static = measured(folder, *overrides)
    counted = static.pop("cuda_graph")
    assert static == plain
    assert counted == {"replays": capture.replayed, "eager": 0, "why": {}}
    assert capture.replayed > 0
    assert f"graphs   cuda graph: {capture.replayed} replays, 0 eager\n" in capsys.readouterr().out


def test_graphs_can_be_off_fail_and_be_required(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, capture = trained("dataset=digits", "num_steps=3"), with_stand_in(monkeypatch)
    assert "cuda_graph" not in measured(folder, "trainer.cuda_graph=off")
    capture.fails = "no memory"
    counted = measured(folder)["cuda_graph"]
    assert counted == {"replays": 0, "eager": 2, "why": {"recording failed: RuntimeError: no memory": 2}}
    assert (
        "0 replays, 2 eager (2 times: recording failed: RuntimeError: no memory)" in capsys.readouterr().out
    )
    assert main(["eval", f"run={folder}", "trainer.cuda_graph=required"]) == 1
    error = capsys.readouterr().err
    assert "error: trainer.cuda_graph=required: an evaluation batch cannot run as a CUDA graph" in error
    assert "hint: trainer.cuda_graph=auto" in error


def test_the_size_of_batches_is_asked_once_for_all_passes_of_a_network(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = trained("dataset=digits", "num_steps=3"), []

    def sizes(*_: object) -> int:
        asked.append(None)
        return 16 // len(asked)

    monkeypatch.setattr(stored_run, "eval_batch_size", sizes)
    capture = with_stand_in(monkeypatch)
    found = measured(folder, "noise=gaussian", "noise.level=[0,0.1,0.2]", "trainer.cuda_graph=required")
    assert (len(asked), len(found["rows"]), capture.recorded) == (1, 3, 1)


def test_a_cpu_has_no_graphs_to_require(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    folder = trained("dataset=digits", "num_steps=3")
    for asked in MEASUREMENTS.values():
        assert main(["eval", f"run={folder}", *asked, "trainer.cuda_graph=required"]) == 2
        assert "required, but the device is the cpu" in capsys.readouterr().err


@pytest.mark.parametrize(("dataset", "nested"), [("digits", True), ("digits_dvs", False)])
def test_a_range_equals_a_pass_for_each_number_of_steps(
    trained: Trained, dataset: str, nested: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained(f"dataset={dataset}", "num_steps=3")
    capsys.readouterr()
    assert main(["eval", f"run={folder}", "num_steps=[1,3,5]"]) == 0
    assert ("all in one pass of 5 steps" in capsys.readouterr().out) == nested
    found = read(folder, "eval-last-t1_3_5")
    assert (found["nested"], found["trained_num_steps"], list(found["rows"])) == (nested, 3, list("135"))
    for steps, row in found["rows"].items():
        alone = single(folder, int(steps))
        assert row == pytest.approx({name: alone[f"test/{name}"] for name in row}, abs=1e-6)
    assert len({row["nll"] for row in found["rows"].values()}) == 3


def test_a_norm_with_a_scale_per_step_runs_fewer_steps_and_refuses_more(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("dataset=digits", "num_steps=3", "norm=tebn")
    assert main(["eval", f"run={folder}", "num_steps=1..3", "checkpoint=best"]) == 0
    assert list(read(folder, "eval-best-t1-3")["rows"]) == ["1", "2", "3"]
    assert main(["eval", f"run={folder}", "num_steps=2..5"]) == 2
    error = capsys.readouterr().err
    assert "error: num_steps: trained with 3, this network cannot run 5: tebn" in error
    assert "hint: take at most num_steps=3" in error
    assert main(["eval", f"run={folder}", "early_exit.streaming=true"]) == 2
    assert "has parameters for each time step" in capsys.readouterr().err


@pytest.mark.parametrize("dataset", ["digits", "digits_dvs"])
def test_noise_is_swept_over_its_levels(trained: Trained, dataset: str) -> None:
    folder = trained(f"dataset={dataset}", "num_steps=3")
    assert main(["eval", f"run={folder}", "noise=gaussian", "noise.level=[0,0.5]"]) == 0
    found = read(folder, "noise-gaussian-last-t3")
    assert (found["noise"], found["noise_seed"]) == ("gaussian", 0)
    clean, far = found["rows"]
    alone = single(folder, 3)
    assert clean.pop("level") == 0
    assert clean == pytest.approx({name: alone[f"test/{name}"] for name in clean})
    assert far["nll"] != clean["nll"]
    assert list((folder / "plots").glob("noise-gaussian-last-t3-*.png"))
    # Other levels do not replace these.
    assert main(["eval", f"run={folder}", "noise=gaussian", "noise.level=[0.5]"]) == 0
    assert len(list(folder.glob("noise-gaussian-last-t3-*.json"))) == 2


@pytest.mark.parametrize(("dataset", "logits"), [("digits", "mean"), ("digits_dvs", "sum")])
def test_streaming_stops_every_sample_where_the_whole_pass_does(
    trained: Trained, dataset: str, logits: str
) -> None:
    folder = trained(f"dataset={dataset}", "num_steps=3")
    command = ["eval", f"run={folder}", "num_steps=6", f"early_exit.logits={logits}"]
    assert main([*command, "early_exit.threshold=[0,0.12,0.15,0.3,1]", "early_exit.streaming=true"]) == 0
    found = read(folder, f"early-exit-last-t6-{logits}")
    rows = found["rows"]
    assert [row["differing"] for row in rows] == [0, 0, 0, 0, 0]
    assert all(row["seconds"] > 0 for row in rows)
    assert rows[0]["histogram"] == [32, 0, 0, 0, 0, 0]
    assert rows[-1]["histogram"] == [0, 0, 0, 0, 0, 32]
    means = [row["mean_steps"] for row in rows]
    assert means == sorted(means)
    assert any(1 < row["mean_steps"] < 6 for row in rows)
    alone = single(folder, 6)
    assert rows[-1]["acc"] == pytest.approx(alone["test/acc"])
    assert rows[0]["acc"] == pytest.approx(alone["test/acc_cum/t1"])
    assert main([*command, "early_exit.threshold=[0.5]"]) == 0
    assert len(list(folder.glob(f"early-exit-last-t6-{logits}-*.json"))) == 2


def test_streaming_with_graphs_stops_every_sample_where_the_whole_pass_does(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("dataset=digits", "num_steps=3")
    capture = with_stand_in(monkeypatch)
    command = ["eval", f"run={folder}", "num_steps=6", "early_exit.threshold=[0.12,0.15,1]"]
    assert main([*command, "early_exit.streaming=true", "trainer.cuda_graph=required"]) == 0
    found = read(folder, "early-exit-last-t6-sum")
    assert [row["differing"] for row in found["rows"]] == [0, 0, 0]
    assert found["cuda_graph"] == {"replays": capture.replayed, "eager": 0, "why": {}}
    # The whole pass; the first and a later step of 16, 8, 4, 2 and 1 samples.
    assert 1 + 4 <= capture.recorded <= 1 + 2 * 5
    assert f"graphs   cuda graph: {capture.replayed} replays, 0 eager\n" in capsys.readouterr().out


def test_the_average_of_the_weights_is_measured_and_named(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained("dataset=digits", "num_steps=3", "trainer.ema=0.7")
    assert ": average of the weights" in capsys.readouterr().out
    last = json.loads((folder / "result.json").read_text())["last"]
    for checkpoint in ("last", "best"):
        assert main(["eval", f"run={folder}", "weights=average", f"checkpoint={checkpoint}"]) == 0
        assert f"{checkpoint} checkpoint, average of the weights, after epoch" in capsys.readouterr().out
        found = read(folder, f"eval-{checkpoint}-average-t3")
        assert (found["checkpoint"], found["weights"]) == (checkpoint, "average")
    average = read(folder, "eval-last-average-t3")["metrics"]
    assert average["test/loss"] == pytest.approx(last["test_ema/loss"])
    assert average["test/loss"] != pytest.approx(last["test/loss"], rel=1e-4)
    assert main(["eval", f"run={folder}", "weights=average", "num_steps=1..3"]) == 0
    rows = read(folder, "eval-last-average-t1-3")["rows"]
    assert rows["2"]["nll"] == pytest.approx(last["test_ema/nll_cum/t2"])
    without = trained("dataset=digits", "num_steps=3")
    assert main(["eval", f"run={without}", "weights=average", "early_exit.threshold=[0.5]"]) == 2
    assert "kept no average of its weights" in capsys.readouterr().err


def test_a_run_with_few_batches_is_measured_again_on_the_same_ones(trained: Trained) -> None:
    folder = trained("dataset=digits", "num_steps=2", "trainer.limit_test_batches=1", "trainer.epochs=1")
    stored = json.loads((folder / "result.json").read_text())
    assert stored["num_test"] == 16
    assert single(folder, 2)["test/nll"] == pytest.approx(stored["last"]["test/nll"], abs=1e-6)
