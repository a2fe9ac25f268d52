"""What runs leave behind is read and written by one schema."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from snnlab.runs.results import RunResult, read_metrics

TRAINED: dict[str, Any] = {
    "experiment": "quickstart",
    "variant": "a-b",
    "config_hash": "00000000",
    "code": "0.1.0",
    "seed": 0,
    "epochs": 1,
    "num_steps": 2,
    "dataset": "digits",
    "synthetic": False,
    "split": "test",
    "num_train": 3,
    "num_test": 4,
    "selection": {"last": "after epoch 1", "best": "after epoch 1"},
    "last": {"test/acc": 0.5},
    "best": {"test/acc": 0.5},
    "best_epoch": 1,
    "num_params": 5,
    "train_seconds": 0.0,
    "samples_per_second": None,
}


def test_what_does_not_apply_is_left_out() -> None:
    written = RunResult(**TRAINED).as_mapping()
    assert written == {"status": "done", **TRAINED}, "samples_per_second is null, conversion is absent"
    assert "conversion" in RunResult(**TRAINED, conversion={"acc": 0.5}).as_mapping()


def test_keys_of_another_version_are_ignored_and_a_part_is_no_result() -> None:
    read = RunResult.of({**TRAINED, "of_later": 1})
    assert read is not None
    assert asdict(read)["num_params"] == 5
    assert RunResult.of({"status": "done"}) is None


def test_metrics_without_a_file_or_with_a_line_cut_short(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "epoch": 1, "split": "test"}\n{"step": 2, "tra')
    assert read_metrics(tmp_path) == [{"step": 1, "epoch": 1, "split": "test"}]
