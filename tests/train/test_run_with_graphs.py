"""A whole run with a stand-in for CUDA graphs: same numbers, same name, counted in the result and the log."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from snnlab.cli import main
from snnlab.train import session
from snnlab.train.learner import Learner, StepResult
from tests.train.again import Again

SMALL = (
    "train",
    "+experiment=quickstart",
    "num_steps=2",
    "model.channels=[4,4,4,4]",
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.batch_size=48",
    "trainer.limit_test_batches=1",
    "trainer.device=cpu",
    "trainer.plots=false",
    "trainer.progress=none",
)


def run(runs: Path, *overrides: str, code: int = 0) -> Path:
    assert main([*SMALL, f"paths.runs={runs}", *overrides]) == code
    (config,) = runs.glob("*/*/seed*/config.yaml")
    return config.parent


def with_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(trainer: Any, device: Any) -> Again | None:
        return None if trainer.cuda_graph == "off" else Again()

    monkeypatch.setattr(session, "capture_for", stand_in)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_with_graphs_is_the_run_without_also_when_it_is_stopped_and_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_stand_in(monkeypatch)
    averaged = "trainer.ema=0.9"
    plain = run(tmp_path / "plain", "trainer.cuda_graph=off", averaged)
    whole = run(tmp_path / "whole", averaged)
    step, steps = Learner.step, 0

    def stopping(self: Learner, *args: Any) -> StepResult:
        nonlocal steps
        steps += 1
        if steps == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", stopping)
        run(tmp_path / "stopped", averaged, code=75)
    continued = run(tmp_path / "stopped", averaged)
    assert rows(plain) == rows(whole) == rows(continued)
    assert plain.relative_to(tmp_path / "plain") == whole.relative_to(tmp_path / "whole")


def test_the_result_and_the_log_count_the_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_stand_in(monkeypatch)
    folder = run(tmp_path, "trainer.epochs=1")
    result = json.loads((folder / "result.json").read_text())
    replays = result["cuda_graph"]["replays"]
    assert replays > 1
    updates = {"replays": 0, "eager": replays, "why": {"learning rates are numbers on this device": replays}}
    assert result["cuda_graph"].pop("evaluation") == {"replays": 1, "eager": 0, "why": {}}
    assert result["cuda_graph"] == {"replays": replays, "eager": 0, "why": {}, "updates": updates}
    said = f"graphs   cuda graph: {replays} replays, 0 eager; updates: 0 replays, {replays} eager ("
    assert said in (folder / "log.txt").read_text()


def test_the_result_and_the_log_say_why_there_were_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_stand_in(monkeypatch)
    folder = run(tmp_path, "trainer.epochs=1", "trainer.detect_anomaly=true")
    result = json.loads((folder / "result.json").read_text())["cuda_graph"]
    reason = "trainer.detect_anomaly reads every gradient on the host"
    none = {"replays": 0, "eager": result["eager"], "why": {reason: result["eager"]}}
    assert result == {**none, "updates": none, "evaluation": {"replays": 1, "eager": 0, "why": {}}}
    assert (
        f"cuda graph: 0 replays, {result['eager']} eager ({result['eager']} times: {reason})"
        in (folder / "log.txt").read_text()
    )


def test_a_cpu_has_no_graphs_and_required_ones_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path / "auto", "trainer.epochs=1")
    assert "cuda_graph" not in json.loads((folder / "result.json").read_text())
    capsys.readouterr()
    assert main([*SMALL, f"paths.runs={tmp_path / 'required'}", "trainer.cuda_graph=required"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: trainer.cuda_graph: required, but the device is the cpu")
    assert error.splitlines()[1].startswith("hint: trainer.cuda_graph=auto")
    assert not (tmp_path / "required").exists()
