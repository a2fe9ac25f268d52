"""Planning and filling: run directories by hash, seeds, verdicts, paired tests, estimates."""

import json
import os
import statistics
from dataclasses import replace

import pytest
import yaml
from scipy import stats

from snnlab.runs.identity import run_dirs
from snnlab.tables.estimate import estimate
from snnlab.tables.fill import fill, paired_t_test
from snnlab.tables.grid import cells_grid, paper_grid
from snnlab.tables.plan import Planner
from snnlab.tables.plan_text import plan_lines
from snnlab.tables.render import below, markdown, print_table, render
from snnlab.tables.stored_table import as_json, read_filled


@pytest.fixture
def plan(table, tmp_path):
    def make(text=None, *, selection="last", **settings):
        with Planner() as planner:
            found = replace(table() if text is None else table(text), selection=selection)
            return planner.plan("small", found, by_hand=[f"paths.runs={tmp_path}"], **settings)

    return make


def keep(run, content):
    """As if the run's further command had run."""
    run.kept_file.parent.mkdir(exist_ok=True)
    run.kept_file.write_text(content)


def by_name(filled, row, column):
    return next(one for one in filled.cells if one.row.name == row and one.column.label == column)


def test_a_plan_names_each_run_once(plan):
    found = plan()
    assert [run.cfg.loss.name for run in found.runs] == ["sdt"] * 3 + ["tmc"] * 3
    assert [run.cfg.seed for run in found.runs] == [0, 1, 2] * 2
    assert {run.state for run in found.runs} == {"missing"}
    assert len({run.folder for run in found.runs}) == 6
    assert found.missing == {"there is no New yet": ["Digits, New"]}
    text = "\n".join(plan_lines(found))
    assert "12: 6 from runs, 3 cited, 3 not possible here yet" in text
    assert "seed 0, 1, 2 missing" in text
    assert "no measured throughput" in text


def test_mean_deviation_difference_and_verdict(plan, finished):
    planned = plan()
    sdt, tmc = planned.runs[:3], planned.runs[3:]
    for run, acc in zip(sdt, (0.94, 0.95, 0.96), strict=True):
        finished(run, **{"test/acc": acc, "test/ece_step/t2": 0.204})
    for run, acc in zip(tmc[:2], (0.90, 0.92), strict=True):
        finished(run, **{"test/acc": acc, "test/ece_step/t2": 0.05})
    filled = fill(planned)
    cell = by_name(filled, "Digits, SDT", "Acc")
    assert cell.mean == pytest.approx(95.0)
    assert cell.std == pytest.approx(statistics.stdev([94, 95, 96]))
    assert cell.difference == pytest.approx(-0.5)
    assert cell.verdict == "agrees"
    assert by_name(filled, "Digits, TMC", "Acc").verdict == "2 of 3 seeds; worse than published"
    assert by_name(filled, "Digits, SDT", "T=2 ECE").verdict == "agrees"
    assert by_name(filled, "Digits, Cited", "Acc").verdict == "cited"
    assert by_name(filled, "Digits, New", "Acc").verdict == "not possible here yet"
    # A setting needs no run.
    assert by_name(filled, "Digits, SDT", "Epochs").verdict == "as published"
    assert by_name(filled, "Digits, TMC", "Epochs").verdict == "differs"
    (tested,) = filled.tests
    assert tested.n == 2
    assert tested.difference == pytest.approx(-3.5)
    assert tested.published == pytest.approx(0.5)


@pytest.mark.parametrize("experiment", ["quickstart", "another"])
def test_runs_of_the_version_before_are_taken(plan, finished, experiment):
    run = plan().runs[0]
    old = run_dirs(run.cfg)[1]
    folder = old.parents[2] / experiment / old.parent.name / old.name
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"last": {"test/acc": 0.5}}')
    assert (run.folder, run.state) == (folder, "done")


def test_a_run_with_other_settings_is_none_of_the_tables(plan, finished):
    planned = plan()
    for run in planned.runs[:3]:
        finished(run, **{"test/acc": 0.5})
        raw = {**run.cfg.raw, "trainer": {**run.cfg.raw["trainer"], "epochs": 7}}
        (run.folder / "config.yaml").write_text(yaml.safe_dump(raw))
    assert {run.state for run in planned.runs} == {"missing"}
    assert by_name(fill(planned), "Digits, SDT", "Acc").mean is None


@pytest.mark.parametrize(
    ("metric", "mean"), [("test/rate/t?", 0.3), ("test/rate/t[0-9]*", 0.2), ("test/rate/*", 0.4)]
)
def test_a_pattern_is_the_mean_over_what_fits(plan, finished, metric, mean):
    text = f"""
    title: Rates
    source: Nobody (2026), Table 3
    columns: [{{name: Rate, metric: '{metric}', unit: fraction}}]
    rows: [{{labels: [TMC], run: {{experiment: quickstart}}, published: [null]}}]
    """
    (run,) = plan(text, seeds=(0,)).runs
    finished(run, **{"test/rate/t1": 0.2, "test/rate/t2": 0.4, "test/rate/t10": 0.0, "test/rate/layer": 1.0})
    assert fill(plan(text, seeds=(0,))).cells[0].mean == pytest.approx(mean)


def test_a_table_of_settings_needs_no_run(plan):
    text = """
    title: Settings
    source: Nobody (2026), Table 2
    columns:
      - {name: Epochs, metric: config/trainer.epochs, unit: plain, digits: 0, better: neither}
    rows:
      - {labels: [TMC], run: {experiment: quickstart}, published: [16]}
    """
    found = plan(text, scale="smoke")
    assert found.runs == []
    assert [cell.verdict for cell in fill(found).cells] == ["as published"]


def test_the_epoch_is_that_of_the_table(plan, table, finished, tmp_path):
    planned = plan()
    for run in planned.runs:
        finished(run, **{"test/acc": 0.5})
    best = replace(planned, table=replace(planned.table, selection="best"))
    assert by_name(fill(best), "Digits, SDT", "Acc").mean == pytest.approx(60.0)


def test_a_run_of_another_experiment_with_the_same_settings_counts(plan, finished, tmp_path):
    planned = plan()
    run = planned.runs[0]
    folder = tmp_path / "other" / run.folder.parent.name / run.folder.name
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"last": {"test/acc": 0.7}}))
    assert plan().runs[0].folder == folder
    assert plan().runs[0].state == "done"


def test_paired_t_test():
    a, b = [0.9, 0.8, 0.85], [0.7, 0.75, 0.6]
    differences = [x - y for x, y in zip(a, b, strict=True)]
    assert paired_t_test(differences) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert paired_t_test([0.1]) is None
    assert paired_t_test([0.1, 0.1]) is None
    # One sample of 199 more, three times: equal but for rounding.
    assert paired_t_test([100 * (k + 1) / 199 - 100 * k / 199 for k in (150, 170, 185)]) is None


def test_json_and_back(plan, finished, table, tmp_path):
    planned = plan()
    for run in planned.runs:
        finished(run, **{"test/acc": 0.9 + run.cfg.seed / 100, "test/ece_step/t2": 0.05})
    filled = fill(planned)
    file = tmp_path / "stored.json"
    file.write_text(json.dumps(as_json(filled)))
    again = read_filled(file, table())
    assert as_json(again) == as_json(filled)
    assert str(tmp_path) not in file.read_text()


def test_what_was_measured_and_how_is_as_it_was_stored(plan, finished, table, tmp_path):
    planned = plan(scale="short", selection="best")
    for run in planned.runs:
        finished(run, **{"test/acc": 0.5})
    file = tmp_path / "stored.json"
    file.write_text(json.dumps({**as_json(fill(planned)), "data": "other pictures"}))
    again = read_filled(file, table())
    assert again.table.selection == "best"
    assert "other pictures. Measured at the epoch that was best" in render(again, "md")


def test_smaller_scales_are_said_and_not_judged(plan, finished):
    for scale, dataset in (("short", "digits_dvs"), ("smoke", "digits_dvs")):
        planned = plan(scale=scale)
        run = planned.runs[0]
        assert run.cfg.trainer.epochs == {"short": 2, "smoke": 1}[scale]
        assert run.cfg.dataset.name == dataset
        finished(run, **{"test/acc": 0.9})
        filled = fill(planned)
        assert "not comparable" in by_name(filled, "Digits, SDT", "Acc").verdict
        assert f"Scale {scale}" in markdown(filled, cells_grid(filled))


def test_the_training_accuracies_of_the_runs_are_said_and_stored(plan, finished, table, tmp_path):
    planned = plan(scale="smoke")
    assert "Training accuracy" not in render(fill(planned), "text")
    for number, run in enumerate(planned.runs):
        finished(run, **{"test/acc": 0.5})
        row = {"epoch": 1, "split": "train", "train/acc": 0.99 + number / 1000}
        (run.folder / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    file = tmp_path / "stored.json"
    file.write_text(json.dumps(as_json(fill(planned))))
    highest = 99 + (len(planned.runs) - 1) / 10
    said = f"Training accuracy in the last epoch: 99.00 to {highest:.2f} %."
    assert said in render(read_filled(file, table()), "text")


LEFT_OUT = """
title: Half a table
source: Nobody (2026), Table 3
columns:
  - {name: Acc, metric: test/acc}
  - {name: Loss, metric: train/loss, unit: plain, digits: 3}
rows:
  - {labels: [TMC], run: {experiment: quickstart}, published: [1, 2]}
  - {labels: [SDT], run: {experiment: quickstart, overrides: [loss=sdt]}, published: [1, 2]}
scales:
  short: {rows: [TMC], columns: [Loss]}
"""


def test_a_scale_may_leave_out_rows_and_columns(plan):
    planned = plan(LEFT_OUT, scale="short", seeds=[0])
    assert [(cell.row.name, cell.column.label) for cell in planned.cells if not cell.why] == [("TMC", "Loss")]
    assert planned.missing == {}
    text = "\n".join(plan_lines(planned))
    assert "cells    4: 1 from runs, 0 cited, 0 not possible here yet, 3 not at this scale" in text


def test_a_metric_of_the_last_epochs_training(plan, finished):
    planned = plan(LEFT_OUT, scale="short", seeds=[0])
    (run,) = planned.runs
    finished(run, **{"test/acc": 0.9})
    rows = [("train", 2.0), ("test", 9.0), ("train", 0.125), ("test", 8.0)]
    lines = (json.dumps({"epoch": 1, "split": split, f"{split}/loss": loss}) for split, loss in rows)
    (run.folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert by_name(fill(planned), "TMC", "Loss").mean == 0.125
    assert planned.subjects == [run.folder]


def test_estimate_uses_measured_throughput(plan, finished):
    runs = plan().runs
    finished(runs[0], **{"test/acc": 0.9})
    found = estimate(runs[1:])
    # 16 epochs of 100 samples at 50 samples a second, and the start of the process.
    assert found.seconds == pytest.approx(5 * (5 + 32))
    assert found.unknown == 0


def test_all_formats(plan, finished):
    planned = plan()
    for run in planned.runs:
        finished(run, **{"test/acc": 0.9 + run.cfg.seed / 100, "test/ece_step/t2": 0.05})
    filled = fill(planned)
    text = render(filled, "md")
    assert "| Digits | TMC [a]" in text
    assert "- TMC against SDT (Digits), Acc: +0.00" in text
    assert "[a] The paper says it twice." in text
    assert "not possible here yet: Digits, New: there is no New yet" in text
    assert "| Digits | TMC [a] | 91.00 +- 1.00 (96.00 +- 0.40)" in render(filled, "md", "paper")
    latex = render(filled, "latex")
    assert r"\toprule" in latex
    assert r"96.00 $\pm$ 0.40" in latex
    assert "SDT,Acc,95.5,,91,1,3,3,-4.5,full,worse than published" in render(filled, "csv")
    page = render(filled, "html")
    assert "Two losses" in page
    assert "http://" not in page
    assert "https://" not in page
    assert json.loads(render(filled, "json"))["cells"][0]["why"] == "cited"
    assert len(paper_grid(filled).body) == 4
    assert "mean +- standard deviation over the seeds 0, 1, 2." in text
    assert "after the last epoch; seed 1." in render(fill(plan(seeds=[1])), "md")


FIGURE = """
title: A picture
source: Nobody (2026), Figure 1
rows:
  - {labels: [TMC], run: {experiment: quickstart}}
draw: ['analyse run={run} what=tsne']
"""


def test_a_figure_without_numbers_has_no_empty_table(plan, capsys):
    filled = fill(plan(FIGURE, seeds=[0]))
    print_table(filled)
    for text in (capsys.readouterr().out, render(filled, "md")):
        assert "--run draws it, once all runs are there: snnlab analyse run={run} what=tsne" in text
        assert "published" not in text
        assert "of 0 cells" not in text


MEASURED = """
title: Measured afterwards
source: Nobody (2026), Table 2
columns:
  - {name: JSON, metric: measured/rows/1/acc}
  - {name: CSV, metric: measured/total/ac, unit: plain, times: 1e-6, run: csv}
  - {name: SNN, metric: converted/conversion/acc, run: converted}
  - {name: Scaled, metric: measured/rows/0/acc, run: scaled}
rows:
  - labels: [One]
    runs:
      run: {experiment: quickstart, measure: "eval early_exit.threshold=[0.9]", measured: "early-exit-*.json"}
      csv: {experiment: quickstart, measure: analyse what=energy, measured: analysis/energy.csv}
      converted: {experiment: quickstart, convert: [neuron.rising=average]}
      scaled: {experiment: quickstart, convert: [neuron.rising=average], measure: eval x=1, measured: eval-*.json}
    published: [1, 2, 3, 4]
"""


def test_numbers_of_further_measurements(plan, finished):
    planned = plan(MEASURED, seeds=[0])
    run = planned.runs[0]
    assert len(planned.runs) == 4
    finished(run, **{"test/acc": 0.5})
    assert {one.state for one in planned.runs} == {"unmeasured"}
    # Four measurements of one run.
    assert "runs     1: 0 done, 1 trained, to be measured" in "\n".join(plan_lines(planned))
    assert {cell.why for cell in fill(planned).cells} == {"trained, not measured yet"}
    keep(planned.runs[0], json.dumps({"rows": [{"acc": 0.1}, {"acc": 0.25}]}))
    keep(planned.runs[1], "name,kind,ac\nconv,conv,1\nbroken,,nan\ntotal,,2500000.0\n")
    for name, rising in (("a", "upsample"), ("b", "average")):
        other = run.folder.parent.with_name(f"converted-{name}") / run.folder.name
        other.mkdir(parents=True)
        raw = {**run.cfg.raw, "neuron": {"name": "lif", "rising": rising}}
        (other / "config.yaml").write_text(yaml.safe_dump(raw))
        acc = 0.7 if name == "b" else 0.1
        content = {"conversion": {"ann": str(run.folder), "checkpoint": "last", "acc": acc}, "last": {}}
        (other / "result.json").write_text(json.dumps(content))
    assert [cell.mean for cell in fill(planned).cells[:3]] == pytest.approx([25.0, 2.5, 70.0])
    assert [one.state for one in planned.runs] == ["done"] * 3 + ["unmeasured"]
    keep(planned.runs[3], '{"rows": [{"acc": 0.5}]}')
    assert [cell.mean for cell in fill(planned).cells] == pytest.approx([25.0, 2.5, 70.0, 50.0])
    assert {one.state for one in planned.runs} == {"done"}
    assert planned.subjects == [run.folder, run.folder.parent.with_name("converted-b") / "seed0"]


def test_a_measurement_is_that_of_its_own_command_on_this_run(plan, finished):
    planned = plan(MEASURED, seeds=[0])
    run = planned.runs[0]
    finished(run, **{"test/acc": 0.5})
    # What another call leaves, with other thresholds: the same name, newer.
    (run.folder / "early-exit-x.json").write_text(json.dumps({"rows": [{"acc": 0.9}, {"acc": 0.9}]}))
    assert run.measured_file is None
    other = plan(MEASURED.replace("[0.9]", "[0.5]"), seeds=[0]).runs[0]
    keep(other, "{}")
    assert run.measured_file is None
    keep(run, "{}")
    assert run.measured_file is not None
    # The run was made anew.
    os.utime(run.measured_file, (0, 0))
    assert run.measured_file is None
    # The weights of the best epoch are another measurement, and another conversion.
    best = plan(MEASURED, seeds=[0], selection="best").runs
    assert [one.checkpoint for one in best] == ["best"] * 4
    assert best[0].kept_file != run.kept_file


def test_a_cell_without_a_number_in_its_finished_runs_is_named(plan, finished):
    planned = plan(LEFT_OUT.replace("test/acc", "test/firing_rate/all"), seeds=[0])
    for run in planned.runs:
        finished(run, **{"test/firing_rate/t1": 0.5})
        (run.folder / "metrics.jsonl").write_text('{"epoch": 1, "split": "train", "train/loss": 1}\n')
    cells = fill(planned).without_number
    assert [(cell.row.name, cell.column.label) for cell in cells] == [("TMC", "Acc"), ("SDT", "Acc")]


def test_a_cell_whose_experiment_does_not_exist_says_so(plan, table):
    planned = plan(MEASURED.replace('quickstart, measure: "eval', 'quickest, measure: "eval'))
    cell = by_name(fill(planned), "One", "JSON")
    assert cell.verdict == "there is no experiment quickest"
    assert planned.missing == {"there is no experiment quickest": ["One"]}
    assert len(planned.runs) == 9


def test_runs_that_are_not_whole_are_named_below_the_table(plan, finished, monkeypatch):
    found = plan()
    for run in found.runs:
        finished(run, **{"test/acc": 0.95})
    assert len(fill(found).damaged) == len(found.runs), "they have no configuration"
    damaged = found.runs[0].folder
    monkeypatch.setattr(
        "snnlab.tables.fill.verify", lambda folder, checkpoints: ["a finding"] if folder == damaged else []
    )
    filled = fill(found)
    line = f"not whole, see snnlab verify: {'/'.join(damaged.parts[-3:])}"
    assert below(filled)[0] == line
    assert filled.damaged == ["/".join(damaged.parts[-3:])]
    monkeypatch.setattr("snnlab.tables.fill.verify", lambda folder, checkpoints: [])
    assert not fill(found).damaged
    assert "not whole" not in "".join(below(fill(found)))
