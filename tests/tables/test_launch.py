"""What is done with finished runs: each is converted and measured, whatever happens to the others."""

import sys
from dataclasses import replace

import pytest
import torch  # noqa: F401  # tells that training goes on in this process

from snnlab.tables.launch import run_missing
from snnlab.tables.plan import Planner

MEASURED = """
title: Measured afterwards
source: Nobody (2026), Table 2
columns: [{name: Acc, metric: measured/acc}]
rows:
  - labels: [SDT]
    run: {experiment: quickstart, overrides: [loss=sdt], measure: eval num_steps=2, measured: eval.json}
    published: [1]
  - labels: [TET]
    run: {experiment: quickstart, overrides: [loss=tet], measure: eval num_steps=2, measured: eval.json}
    published: [2]
"""


@pytest.fixture
def plan(table, tmp_path):
    places = [f"paths.{name}={tmp_path / name}" for name in ("runs", "data")]
    with Planner() as planner:
        yield lambda: planner.plan("x", table(MEASURED), seeds=[0], by_hand=places)


def test_a_measurement_that_fails_does_not_stop_the_others(plan, finished, capsys, tmp_path):
    runs = plan().runs
    for run in runs:
        finished(run, **{"test/acc": 0.5})
    calls = []

    def measure(words):
        calls.append(words)
        if f"run={runs[0].folder}" in words:
            raise ZeroDivisionError("what a pity")
        sys.stdout.write("a long table")
        (runs[1].folder / "eval.json").write_text('{"acc": 0.75}')
        return 0

    assert run_missing(lambda: plan().runs, [], [], measure) == 1
    data = f"paths.data={tmp_path / 'data'}"
    assert calls == [["eval", f"run={run.folder}", data, "num_steps=2"] for run in runs]
    assert [run.state for run in plan().runs] == ["unmeasured", "done"]
    assert plan().runs[1].measured_file.read_text() == '{"acc": 0.75}'
    said = capsys.readouterr()
    assert "what a pity" in said.err
    assert "a long table" not in said.out


def test_a_file_of_an_earlier_call_is_not_taken(plan, finished):
    for run in plan().runs:
        finished(run, **{"test/acc": 0.5})
        (run.folder / "eval.json").write_text('{"acc": 0.1}')
    assert run_missing(lambda: plan().runs, [], [], lambda words: 0) == 1
    assert {run.state for run in plan().runs} == {"unmeasured"}


def test_the_best_epoch_is_converted_and_measured(table, finished, tmp_path):
    text = MEASURED.replace("measure: eval", "convert: [neuron.rising=average], measure: eval")
    found = replace(table(text), selection="best")
    calls = []
    with Planner() as planner:

        def runs():
            return planner.plan("x", found, seeds=[0], by_hand=[f"paths.runs={tmp_path}"]).runs

        for run in runs():
            finished(run, **{"test/acc": 0.5})
        run_missing(runs, [], [], lambda words: calls.append(words) or 1)
    assert [words[0] for words in calls] == ["convert", "convert"]
    assert all("checkpoint=best" in words for words in calls)


def test_an_interrupted_measurement_ends_the_table(plan, finished):
    for run in plan().runs:
        finished(run, **{"test/acc": 0.5})
    assert run_missing(lambda: plan().runs, [], [], lambda words: 75) == 75
