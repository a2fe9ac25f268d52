"""Published tables from plan to numbers with real training, two steps each; `make tables-smoke` runs all."""

import json
import shutil

import pytest

SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "cells", "smaller"),
    [
        ("tmc_1", 90, ["model.channels=[8,8]"]),
        pytest.param("cf_8", 3, [], marks=SLOW),  # words
        pytest.param("figure_cf_9", 30, [], marks=SLOW),  # measured under noise
        pytest.param("mtsnn_7", 18, [], marks=SLOW),  # converted and measured
        pytest.param("twd_13", 3, [], marks=SLOW),  # taught
    ],
)
def test_a_table_is_filled(snnlab, here, name, cells, smaller):
    settings = [
        "trainer.device=cpu",
        "trainer.threads=1",
        "trainer.progress=none",
        "paths.runs=runs",
        *smaller,
    ]
    output = ["--format", "json", "--output", "out.json"]
    done = snnlab("table", name, "scale=smoke", "--run", "hydra/launcher=basic", *settings, *output)
    shutil.rmtree(here / "runs", ignore_errors=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((here / "out.json").read_text())["cells"]
    assert len([cell for cell in found if cell["values"]]) == cells
