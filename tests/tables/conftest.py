"""Small tables, and run directories that look finished."""

import json
import textwrap

import pytest

from snnlab.tables.table_loader import read_table

SMALL = """
title: Two losses
source: Nobody (2026), Table 1
labels: [Data, Method]
columns:
  - {name: Acc, metric: test/acc}
  - {name: ECE, group: T=2, metric: test/ece_step/t2, unit: fraction, digits: 2, better: lower}
  - {name: Epochs, metric: config/trainer.epochs, unit: plain, digits: 0, better: neither}
rows:
  - {labels: [Digits, Cited], cited: true, published: [90, 0.1, null]}
  - {labels: [Digits, SDT], run: {experiment: quickstart, overrides: [loss=sdt]}, published: [95.5, 0.2, 16]}
  - {labels: [Digits, TMC], run: {experiment: quickstart}, published: ["96.00 +- 0.40", 0.05, 20], notes: {row: a}}
  - {labels: [Digits, New], missing: there is no New yet, published: [99, 0.01, null]}
compare:
  - {row: "Digits, TMC", against: ["Digits, SDT"], columns: [Acc]}
footnotes: {a: The paper says it twice.}
"""


@pytest.fixture
def table(tmp_path):
    """Reads a table from text, the small one by default."""

    def read(text=SMALL):
        file = tmp_path / "table.yaml"
        file.write_text(textwrap.dedent(text))
        return read_table(file, "conf/table/table.yaml")

    return read


@pytest.fixture
def finished():
    """Writes a result into a run's run directory."""

    def write(run, **metrics):
        run.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "variant": run.folder.parent.name.rpartition("-")[0],
            "dataset": run.cfg.dataset.name,
            "split": "some",
            "num_train": 100,
            "num_test": 20,
            "samples_per_second": 50.0,
            "last": metrics,
            "best": {key: value + 0.1 for key, value in metrics.items()},
        }
        (run.folder / "result.json").write_text(json.dumps(content))

    return write
