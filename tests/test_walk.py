"""A newcomer's first steps: a run is killed and found dead, goes on, and its W&B file holds what it should."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snnlab.cli import main
from tests.dashboards.test_wandb_log import records

ROOT = Path(__file__).parents[1]
TRAIN = ["train", "+experiment=quickstart", "num_steps=2", "model.channels=[4,4]", "trainer.epochs=3"]
TRAIN += ["trainer.threads=1", "logger.wandb=offline", "logger.every=5", "paths.runs=my runs"]


def start(place: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    output = (place / "output.txt").open("wb")
    return subprocess.Popen(
        [sys.executable, "-m", "snnlab", *TRAIN], cwd=place, env=environment, stdout=output, stderr=output
    )


def logged(run: Path) -> tuple[list[dict[str, object]], dict[str, object], set[str]]:
    """History rows, summary and hidden metrics of all W&B files of a run."""
    rows, summary, hidden = [], {}, set()
    for file in sorted(run.glob("wandb/offline-run-*/*.wandb")):
        for record in records(file):
            for one in record.summary.update:
                summary["/".join(one.nested_key) or one.key] = json.loads(one.value_json)
            if record.metric.options.hidden:
                hidden.add(record.metric.glob_name)
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                rows.append({"/".join(one.nested_key): json.loads(one.value_json) for one in items})
    return rows, summary, hidden


@pytest.mark.slow
def test_a_run_is_killed_found_dead_and_finished(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    killed = start(tmp_path)
    end = time.monotonic() + 200
    while b"epoch 2/3  loss" not in (tmp_path / "output.txt").read_bytes() and time.monotonic() < end:
        time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert main(["runs", "--runs", "my runs", "--state", "dead"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "dead"
    (run,) = tmp_path.glob("my runs/quickstart/*/seed0")
    assert main(["log", "seed0", "--runs", "my runs"]) == 0
    assert main(["report", str(run), "--output", "dead.html"]) == 0
    capsys.readouterr()

    assert start(tmp_path).wait() == 0
    said = (tmp_path / "output.txt").read_text()
    assert "continue at epoch " in said
    assert f"wandb sync '{tmp_path}/my runs/quickstart/{run.parent.name}/seed0/wandb'/offline-run-*" in said
    assert main(["runs", "--runs", "my runs"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["finished", "3/3"]
    assert main(["verify", str(run)]) == 0
    assert main(["eval", str(run)]) == 0

    rows, summary, hidden = logged(run)
    evaluated = [row["epoch"] for row in rows if "test/acc" in row]
    assert evaluated == [1, 2, 3], "no row twice, none lost"
    assert any("train_step/loss" in row for row in rows)
    assert {"test/acc_cum/*", "test/ece_step/*"} <= hidden, "no panels of one value"
    tables = {"/".join(key.split("/")[:2]) for key in summary if key.startswith("over_time/")}
    assert {f"over_time/{one}_table" for one in ("acc", "ece", "adaece", "cece", "nll")} <= tables
    assert "over_time/table" in tables
    result = json.loads((run / "result.json").read_text())
    for part in ("best", "last"):
        assert summary[f"{part}/test/acc"] == pytest.approx(result[part]["test/acc"])
        assert summary[f"{part}/test/ece"] == pytest.approx(result[part]["test/ece"])
    assert "plots/over_time/path" in summary
