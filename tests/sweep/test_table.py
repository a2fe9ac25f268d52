"""The arithmetic and the form of a sweep's table, from hand-made results."""

import json

import pytest
import yaml

from snnlab.runs.load import load
from snnlab.sweep.launcher import ProcessReturn
from snnlab.sweep.point import Point
from snnlab.sweep.table import SweepTable

RESULTS = {("sdt", 0): 0.90, ("sdt", 1): 0.94, ("tet", 0): 0.80}


@pytest.fixture
def points(tmp_path):
    found = []
    for loss, seed in [("sdt", 0), ("sdt", 1), ("tet", 0), ("tet", 1)]:
        cfg = load([f"loss={loss}", f"seed={seed}", f"paths.runs={tmp_path}"])
        point = Point({"loss": loss, "seed": str(seed)}, cfg)
        if (loss, seed) in RESULTS:
            accuracy = RESULTS[loss, seed]
            last = {"test/acc": accuracy, "test/ece": 0.01, "test/adaece": None, "test/cece": 0.5}
            point.run_dir.mkdir(parents=True)
            (point.run_dir / "result.json").write_text(json.dumps({"last": last, "best": last}))
        found.append(point)
    return found


def test_mean_and_deviation_over_seeds(points):
    table = SweepTable([point.ended(None) for point in points], ["loss=sdt,tet", "seed=0,1"])
    sdt, tet = table.rows()
    assert (sdt["label"], sdt["n"], sdt["status"]) == ("loss=sdt", 2, "2 done")
    assert sdt["metrics"]["test/acc"]["mean"] == pytest.approx(0.92)
    assert sdt["metrics"]["test/acc"]["std"] == pytest.approx(0.04 / 2**0.5)  # n - 1 below the root
    assert sdt["metrics"]["test/adaece"]["mean"] is None
    assert (tet["n"], tet["status"], tet["metrics"]["test/acc"]["std"]) == (1, "1 done, 1 not run", None)
    assert table.exit_code == 1
    row = next(line for line in table.text().splitlines() if line.startswith("| loss=sdt"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "loss=sdt",
        "92.00 +- 2.83",
        "0.0100 +- 0.0000",
        "-",
        "0.5000 +- 0.0000",
        "2",
        "2 done",
    ]


def test_files(points, tmp_path):
    table = SweepTable([point.ended(None) for point in points], ["loss=sdt,tet", "seed=0,1"])
    file = table.write()
    assert file.parent == tmp_path / "custom"
    assert file.name.startswith("sweep-")
    assert file.name.endswith(".md")
    assert "`snnlab train -m loss=sdt,tet seed=0,1`" in file.read_text()
    content = json.loads(file.with_suffix(".json").read_text())
    assert [run["status"] for run in content["runs"]] == ["done", "done", "done", "not run"]
    assert content["runs"][0]["last"]["test/acc"] == 0.9
    assert SweepTable(list(reversed(table.points)), []).write() == file, "the name depends on the runs only"


def test_how_a_process_ended_counts(points):
    codes = [0, 1, 75, 0]
    ended = [
        point.ended(ProcessReturn(exit_code=code, run_dir=point.run_dir, reason="why"))
        for point, code in zip(points, codes, strict=True)
    ]
    assert [point.status for point in ended] == ["done", "failed", "interrupted", "done"]
    table = SweepTable(ended, [])
    assert table.exit_code == 75
    assert "- failed: loss=sdt seed=1: why" in table.text()
    assert SweepTable(ended[:2], []).exit_code == 1
    assert SweepTable(ended[:1], []).exit_code == 0


def test_status_files_are_read_where_no_process_is_known(points):
    points[3].run_dir.mkdir(parents=True)
    (points[3].run_dir / "status.json").write_text('{"status": "failed", "reason": "nan"}')
    ended = points[3].ended(None)
    assert (ended.status, ended.reason) == ("failed", "nan")


def test_a_result_of_other_settings_is_not_taken(points):
    raw = {**points[0].cfg.raw, "trainer": {**points[0].cfg.raw["trainer"], "epochs": 7}}
    (points[0].run_dir / "config.yaml").write_text(yaml.safe_dump(raw))
    ended = points[0].ended(None)
    assert ended.status == "failed"
    assert "was made with other settings: trainer.epochs" in ended.reason
    assert SweepTable([ended], []).results == {}
