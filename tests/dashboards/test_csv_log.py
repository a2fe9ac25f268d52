"""metrics.csv: one file, a column for each metric, no row twice."""

import csv

from snnlab.dashboards.csv_log import CSVLog


def read(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_new_metrics_become_columns_and_a_continued_run_goes_on(tmp_path):
    log = CSVLog(tmp_path, continues=False)
    log.row({"step": 1, "train/loss": 0.5})
    log.row({"step": 1, "test/acc": 0.25, "note": 'a "b", c'})
    CSVLog(tmp_path, continues=True).row({"step": 2, "test/acc": 0.75, "new": 1})
    assert [[row["step"], row["train/loss"], row["test/acc"], row["new"]] for row in read(tmp_path)] == [
        ["1", "0.5", "", ""],
        ["1", "", "0.25", ""],
        ["2", "", "0.75", "1"],
    ]
    assert read(tmp_path)[1]["note"] == 'a "b", c'


def test_a_run_begun_anew_begins_the_file_anew(tmp_path):
    CSVLog(tmp_path, continues=False).row({"step": 1})
    CSVLog(tmp_path, continues=False).row({"step": 2})
    assert [row["step"] for row in read(tmp_path)] == ["2"]
