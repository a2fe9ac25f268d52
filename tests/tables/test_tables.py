"""The shipped tables: all are well-formed, and what they name composes."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError
from snnlab.runs.identity import hashes
from snnlab.runs.load import load
from snnlab.tables.plan import Planner
from snnlab.tables.scales import at_scale
from snnlab.tables.table_file import Run
from snnlab.tables.table_loader import load_table

RESULTS = Path(__file__).resolve().parents[2] / "results"
SEARCH = SearchPath()
NAMES = SEARCH.options("table")
TABLES = {name: load_table(name, SEARCH) for name in NAMES}


def all_runs(table):
    """Every run of a table with the overrides of its columns."""
    for row in table.rows:
        for column in table.columns:
            run = row.run_of(column)
            if run is not None and not row.why_missing(column):
                yield run, column
        for run in [row.run, *row.runs.values()] if not table.columns else ():
            if run is not None:
                yield run, None


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_what_it_is(name):
    assert SEARCH.description(f"table/{name}")
    assert SEARCH.file(f"table/{name}").read_text().isascii()


def test_all_experiments_exist():
    experiments = set(SEARCH.options("experiment"))
    for name, table in TABLES.items():
        for run, _ in all_runs(table):
            for one in filter(None, (run, run.teacher)):
                assert one.experiment in experiments, f"{name}: {one.experiment}"


def test_no_cell_is_missing_for_want_of_code():
    why = {
        (name, row.name, column.label): row.why_missing(column)
        for name, table in TABLES.items()
        for row, column in table.cells
    }
    assert len(why) > 1000
    assert {place: said for place, said in why.items() if said} == {}
    assert [name for name, table in TABLES.items() if any(row.missing for row in table.rows)] == []


def test_one_row_of_each_experiment_composes():
    seen = set()
    with Planner() as planner:
        for name, table in TABLES.items():
            for run, column in all_runs(table):
                if run.experiment in seen:
                    continue
                seen.add(run.experiment)
                more = column.overrides if column else ()
                try:
                    planner.config([f"+experiment={run.experiment}", *table.overrides, *run.overrides, *more])
                except ConfigError as error:
                    pytest.fail(f"{name}: {error}")


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["full", "converged", "short", "smoke"])
def test_every_cell_composes_at_every_scale(scale):
    with Planner() as planner:
        for name, table in TABLES.items():
            planner.plan(name, table, scale)


@pytest.mark.parametrize("scale", ["full", "short", "smoke"])
def test_some_tables_plan_at_every_scale(scale):
    """With teachers, conversions and measurements."""
    with Planner() as planner:
        for name in ("mtsnn_4", "twd_9", "figure_mtsnn_3"):
            plan = planner.plan(name, TABLES[name], scale)
            assert bool(plan.runs) != bool(plan.table.draw)
            assert {run.cfg.trainer.epochs == 1 for run in plan.runs} <= {scale == "smoke"}


@pytest.mark.parametrize(
    "experiment", ["tmc_imagenet_qkformer", "tmc_imagenet_metaspikeformer", "cf_dvscifar"]
)
def test_samples_are_small_at_the_smoke_scale(experiment):
    """The pictures of 384 x 384 that QKFormer is fine-tuned on took 20 GB of memory."""
    with Planner() as planner:
        run = Run(experiment=experiment)
        cfg = planner.config(at_scale(planner.config, TABLES["tmc_2"], run, (), "smoke", ()))
    assert cfg.dataset.name in ("digits", "digits_dvs")
    assert 16 <= cfg.dataset.params["image_size"] <= 48


def test_no_hole_is_as_large_as_the_picture_at_the_smoke_scale():
    """MT-SNN's holes of 112 pixels left nothing of a digit of 16, and training diverged."""
    with Planner() as planner:
        for experiment, key in (("mtsnn_imagenet_resnet34", "size"), ("mtsnn_dvsgesture", "cutout")):
            run = Run(experiment=experiment)
            cfg = planner.config(at_scale(planner.config, TABLES["mtsnn_1"], run, (), "smoke", ()))
            assert 0 < cfg.augment[-1].params[key] < cfg.dataset.params["image_size"]


def test_a_table_that_says_nothing_of_it_has_no_runs_at_the_converged_scale():
    with Planner() as planner:
        for name in ("mtsnn_4", "twd_9", "figure_mtsnn_3"):
            plan = planner.plan(name, TABLES[name], "converged")
            assert not plan.runs
            assert not plan.cells or "not at the converged scale" in {cell.why for cell in plan.cells}


def test_runs_of_the_converged_scale_share_data_and_recipe():
    """A table whose methods had different budgets would compare those."""
    with Planner() as planner:
        common = planner.config(["+experiment=converged_cifar10"])
        for name, table in TABLES.items():
            if "converged" not in table.scales:
                continue
            plan = planner.plan(name, table, "converged")
            assert plan.runs, name
            epochs = set()
            for run in plan.runs:
                cfg = run.cfg
                if cfg.dataset.name != "cifar10":
                    assert not cfg.trainer.limit_train_batches, name
                    continue
                assert cfg.dataset == common.dataset, name
                assert cfg.augment == common.augment, name
                assert cfg.optimizer.name == common.optimizer.name, name
                epochs.add(cfg.trainer.epochs)
                assert cfg.trainer.batch_size * cfg.trainer.accumulate == common.trainer.batch_size, name
            assert len(epochs) < 2, name


def test_every_metric_of_a_result_is_one_that_runs_have():
    result = json.loads((Path(__file__).resolve().parents[2] / "results/quickstart.json").read_text())
    for name, table in TABLES.items():
        for metric in (one.metric for one in table.columns if one.metric.startswith("test/")):
            pattern = re.sub(r"\bt\d+$", "t1", metric)
            assert any(fnmatchcase(key, pattern) for key in result["last"]), f"{name}: {metric}"


def test_metrics_are_of_known_kinds():
    for name, table in TABLES.items():
        for column in table.columns:
            assert re.match(r"(test|train|result|config|converted|measured)/", column.metric), (
                f"{name}: {column.metric}"
            )
        for row in table.rows:
            for run in filter(None, [row.run, *row.runs.values()]):
                assert bool(run.measure) == bool(run.measured), f"{name}: {row.name}"


@pytest.mark.parametrize("name", ["quickstart", "nmnist"])
def test_a_published_run_has_the_hash_of_its_experiment(name):
    content = json.loads((RESULTS / f"{name}.json").read_text())
    assert content["config_hash"] in hashes(load([f"+experiment={content['experiment']}"]))


@pytest.mark.parametrize(
    "file", [one for one in RESULTS.glob("*.json") if "cells" in one.read_text()], ids=lambda one: one.stem
)
def test_published_runs_keep_the_layout_that_they_were_made_in(file):
    """Otherwise the same command would give other digits under another hash, without a word."""
    content = json.loads(file.read_text())
    with Planner() as planner:
        table = TABLES[content["table"]]
        plan = planner.plan(content["table"], table, content["scale"], [0], content["by_hand"])
    assert plan.runs
    if "converged" in file.stem:
        # Made after the layout was chosen by itself: the runs have the very hashes of today.
        known = {one.split("-")[0] for run in plan.runs for one in hashes(run.cfg)}
        # A teacher that is not here is not in a hash.
        taught = {cell.row.name for cell in plan.cells for run in cell.runs if run.waits}
        made = [run["run"] for run in content["runs"] if run["row"] not in taught]
        assert {run.split("/")[1].split("-")[-2] for run in made} <= known
        return
    assert not [run for run in plan.runs if run.cfg.trainer.channels_last]
