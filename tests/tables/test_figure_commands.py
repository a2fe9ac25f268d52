"""A figure's commands: once for each run or once for all, and not before all runs are there."""

from dataclasses import replace

import pytest

from snnlab.config.quoting import quoted
from snnlab.tables.figure_commands import command_lines, run_commands
from snnlab.tables.plan import Planner

FIGURE = """
title: Pictures of two runs
source: Nobody (2026), Figure 1
rows:
  - {labels: [SDT], run: {experiment: quickstart, overrides: [loss=sdt]}}
  - {labels: [TET], run: {experiment: quickstart, overrides: [loss=tet]}}
draw: ['analyse run={run} what=landscape', 'report {runs} --output {name}.html']
scales:
  smoke: {draw: ['analyse run={run} what=landscape landscape.grid=3']}
"""


@pytest.fixture
def plan(table, tmp_path):
    places = [f"paths.runs={tmp_path / 'runs'}", f"paths.data={tmp_path / 'my data'}"]
    with Planner() as planner:
        yield lambda scale="full": planner.plan("figure_x", table(FIGURE), scale, [0], places)


def test_every_run_and_all_together(plan, finished, tmp_path):
    commands: list[list[str]] = []

    def snnlab(words):
        commands.append(words)
        return 2 if len(commands) == 1 else 0

    one, other = plan().runs
    finished(one, **{"test/acc": 0.5})
    assert run_commands(plan(), tmp_path, snnlab) == 0
    assert commands == []
    finished(other, **{"test/acc": 0.5})
    assert run_commands(plan(), tmp_path, snnlab) == 2
    data = f"paths.data={quoted(tmp_path / 'my data')}"
    assert commands == [
        ["analyse", f"run={one.folder}", "what=landscape", data],
        ["analyse", f"run={other.folder}", "what=landscape", data],
        ["report", str(one.folder), str(other.folder), "--output", f"{tmp_path / 'figure_x'}.html"],
    ]


def test_the_best_weights_of_a_table_that_reports_them(plan, finished, tmp_path):
    for run in plan().runs:
        finished(run, **{"test/acc": 0.5})
    found = plan()
    best = replace(found, of_figure=tuple(replace(run, checkpoint="best") for run in found.of_figure))
    lines = list(command_lines(best, tmp_path))
    assert [line.endswith(" checkpoint=best") for line in lines] == [True, True, False]


def test_a_scale_may_draw_less(plan, finished, tmp_path):
    for run in plan("smoke").runs:
        finished(run, **{"test/acc": 0.5})
    lines = list(command_lines(plan("smoke"), tmp_path))
    assert len(lines) == 2
    assert all("landscape.grid=3" in line for line in lines)
