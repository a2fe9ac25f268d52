"""The vocabulary of metrics, and that what is measured and what tables say agrees with it."""

import math
import subprocess
import sys

import pytest
import torch

from snnlab.config.search import SearchPath
from snnlab.metric_names import (
    ACC,
    ECE,
    METRIC_PATTERN,
    METRICS,
    OVER_TIME,
    READINGS,
    at_each_step,
    known_at_each_step,
    metric_of,
)
from snnlab.metrics import CalibrationOverTime
from snnlab.tables.table_loader import load_table

SEARCH = SearchPath.of([])


def test_every_measured_key_is_in_the_vocabulary_and_can_be_selected():
    calibration = CalibrationOverTime(2, 3)
    calibration.update(torch.randn(2, 5, 3), torch.tensor([0, 1, 2, 0, 1]))
    keys = [f"test/{key}" for key in calibration.compute()]
    assert {metric_of(key) for key in keys} == set(OVER_TIME)
    assert all(METRIC_PATTERN.fullmatch(key) for key in keys)
    assert len(keys) == len(OVER_TIME) * (1 + 2 * len(READINGS))


@pytest.mark.parametrize(
    "key",
    ["test/lost", "train/acc", "acc", "test/acc_mean/t1", "test/acc_cum", "test/acc_cum/t0", "test/loss/t1"],
)
def test_other_keys_cannot_be_selected(key):
    assert not METRIC_PATTERN.fullmatch(key)


def test_how_a_value_is_printed():
    assert (ACC.heading, ACC.title, ACC.text(0.5), ACC.number(0.5)) == (
        "acc %",
        "Accuracy",
        "50.00 %",
        "50.00",
    )
    assert (ECE.heading, ECE.title, ECE.text(0.5), ECE.number(0.5)) == ("ECE", "ECE", "0.5000", "0.5000")


def test_what_is_an_improvement():
    assert ACC.is_better(0.6, 0.5)
    assert not ECE.is_better(0.6, 0.5)
    assert not any(one.is_better(math.nan, 0.5) for one in METRICS.values())
    assert [one.key for one in METRICS.values() if one.higher_is_better] == ["acc"]


@pytest.mark.parametrize(
    "key", ["test/firing_rate/conv/t1", "result/train_seconds", "test/time_steps", "acc"]
)
def test_other_quantities_are_no_metrics(key):
    assert metric_of(key) is None


def test_values_at_each_step():
    metrics = {
        "v/acc_cum/t10": 3.0,
        "v/acc_cum/t2": math.nan,
        "v/acc_cum/t3": None,
        "v/acc_cum": 1.0,
        "w/acc_cum/t1": 0,
    }
    assert list(at_each_step(metrics, "v/acc_cum")) == [2, 3, 10]
    assert known_at_each_step(metrics, "v/acc_cum") == {10: 3.0}


@pytest.mark.parametrize("name", SEARCH.options("table"))
def test_tables_judge_and_print_a_metric_as_the_vocabulary_does(name):
    for column in load_table(name, SEARCH).columns:
        metric = metric_of(column.metric)
        if metric is not None and column.better != "neither":
            assert (column.better == "higher") == metric.higher_is_better, column.label


def test_it_needs_no_torch():
    code = "import sys, snnlab.metric_names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
