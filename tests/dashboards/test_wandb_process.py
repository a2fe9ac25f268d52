"""W&B in a process of its own: real offline files of whole runs, and a process that hangs, dies or is not read."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snnlab.config.schema import LoggerConfig
from snnlab.dashboards import wandb_process
from snnlab.dashboards.over_time import is_of_a_time_step
from snnlab.dashboards.several import Dashboards
from snnlab.dashboards.wandb_process import WandbApart
from tests.dashboards.test_wandb_log import records
from tests.train.test_recipe import SIGNAL_AT_STEP, SMALL, run_folder


def train(
    runs: Path, *overrides: str, start: tuple[str, ...] = ("-m", "snnlab", "train")
) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    home = {"HOME": str(runs / "home"), "NETRC": str(runs / "no-netrc"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *start, *SMALL, "num_steps=3", "logger.every=2", f"paths.runs={runs}", *overrides],
        capture_output=True,
        text=True,
        env={**clean, **home},
        timeout=200,
    )


def history(file: Path) -> list[dict[str, object]]:
    return [
        {"/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in records(file)
        if record.WhichOneof("record_type") == "history"
    ]


def files(runs: Path) -> list[Path]:
    return sorted((run_folder(runs) / "wandb").glob("offline-run-*/*.wandb"))


def test_a_run_is_logged_offline_by_default_and_its_end_names_the_command(tmp_path):
    done = train(tmp_path, "logger.checkpoint=best", "trainer.plots=true")
    assert done.returncode == 0, done.stderr
    folder, (file,) = run_folder(tmp_path), files(tmp_path)
    command = next(line for line in done.stdout.splitlines() if "wandb sync" in line).partition("sent by: ")[
        2
    ]
    assert command == f"wandb sync {folder}/wandb/offline-run-*-{folder.parent.name.rpartition('-')[2]}-seed0"
    assert [str(one) for one in folder.glob(command.rpartition("seed0/")[2])] == [str(file.parent)]
    rows = history(file)
    assert [row["step"] for row in rows if row.get("split") == "train_step"] == [2, 4, 6, 8, 10]
    assert {"train_step/loss", "train_step/lr", "train_step/acc"} <= rows[0].keys()
    tests = [row for row in rows if row.get("split") == "test"]
    assert [row["epoch"] for row in tests] == [1, 2]
    readings = [f"test/{name}_{reading}" for name in ("acc", "ece") for reading in ("step", "cum")]
    assert {f"{name}/t{t}" for name in readings for t in (1, 2, 3)} <= tests[0].keys()
    found = list(records(file))
    metrics = [record.metric for record in found if record.WhichOneof("record_type") == "metric"]
    hidden = tuple(metric.glob_name[:-1] for metric in metrics if metric.options.hidden)
    alone = {key for row in tests for key in row if is_of_a_time_step(key)}
    assert all(key.startswith(hidden) for key in alone), "no panel for a single value"
    keys = {key for row in rows for key in row}
    for metric in ("acc", "ece", "adaece", "cece", "nll"):
        assert f"over_time/{metric}_table/path" in keys
    assert {"over_time/table/path", "plots/over_time/path", "plots/curves/path"} <= keys
    (table,) = file.parent.glob("files/media/table/over_time/table_*.json")
    content = json.loads(table.read_text())
    assert content["columns"][:3] == ["time_step", "acc_step", "acc_cum"]
    assert [row[0] for row in content["data"]] == [1, 2, 3]
    drawn = [u.value_json for r in found if r.WhichOneof("record_type") == "config" for u in r.config.update]
    assert sum("lineseries" in one for one in drawn) == 5
    result = json.loads((folder / "result.json").read_text())
    updates = [u for r in found if r.WhichOneof("record_type") == "summary" for u in r.summary.update]
    summary = {one.key or "/".join(one.nested_key): one.value_json for one in updates}
    assert float(summary["best/test/ece"]) == result["best"]["test/ece"]
    assert json.loads(summary["best/of"]) == "test/acc"
    assert 1 <= int(summary["best/tied"]) <= result["epochs"]
    assert float(summary["last/test/acc"]) == result["last"]["test/acc"]
    artefacts = [r.artifact.name for r in found if r.WhichOneof("record_type") == "artifact"]
    assert any(name.endswith("seed0-best") for name in artefacts)
    assert found[-1].WhichOneof("record_type") == "exit"
    assert found[-1].exit.exit_code == 0


@pytest.mark.slow
def test_a_killed_and_continued_run_has_no_row_twice(tmp_path):
    killed = train(
        tmp_path, "logger=[wandb,csv]", start=("-c", SIGNAL_AT_STEP, str(int(signal.SIGKILL)), "8")
    )
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while not any(r.WhichOneof("record_type") == "exit" for file in files(tmp_path) for r in records(file)):
        assert time.monotonic() < deadline, "the W&B of a killed run ends too"
        time.sleep(0.2)
    done = train(tmp_path, "logger=[wandb,csv]")
    assert done.returncode == 0, done.stderr
    steps = [
        row["step"] for file in files(tmp_path) for row in history(file) if row.get("split") == "train_step"
    ]
    assert steps == [2, 4, 6, 8, 10]
    lines = (run_folder(tmp_path) / "metrics.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines if ",train_step," in line] == ["2", "4", "6", "8", "10"]
    assert len([line for line in lines if ",test," in line]) == 2


def apart(code: str) -> WandbApart:
    return WandbApart(LoggerConfig(wandb="offline"), {}, [sys.executable, "-c", code])


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "import os; os.close(0); os.close(1)"])
def test_a_process_that_hangs_or_dies_stops_nothing(code, monkeypatch):
    monkeypatch.setattr(wandb_process, "START_SECONDS", 0.5)
    said: list[str] = []
    begin = time.monotonic()
    with Dashboards([apart(code)], said.append) as shown:
        for step in range(50):
            shown.row({"step": step, "text": "x" * 10_000})
        shown.saved()
    assert time.monotonic() - begin < 30
    assert len(said) <= 1
