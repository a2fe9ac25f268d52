"""Damaged files of a run: every command reads on, or ends with one error; never a traceback.

`pytest -m faults tests/faults/test_run_files.py` damages 500 files of each kind, or as many as SNNLAB_FAULTS says.
"""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnlab.cli import main
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.report.page import run_page
from snnlab.report.run_data import find_runs
from snnlab.runs import checkpoint
from snnlab.runs.results import read_status
from snnlab.runs.reuse import stored_result
from snnlab.runs.stored_config import load_stored
from snnlab.sweep.point import Point
from snnlab.tables.cell_values import cell_value
from snnlab.tables.planned import PlannedRun
from snnlab.tables.provenance import provenance
from tests.faults.mutations import mutated
from tests.tiny_runs import train_two_seeds

TEXTS = [
    "result.json",
    "status.json",
    "metrics.jsonl",
    "config.yaml",
    "env.json",
    "evaluation.json",
    "overrides.txt",
]
CHECKPOINTS = ["checkpoints/last.pt", "checkpoints/best.pt"]
SAMPLE = 6
MANY = int(os.environ.get("SNNLAB_FAULTS", "500"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    train_two_seeds(root)
    return root


def read_everything(root: Path, whole: RunConfig, run: Path, damaged: str) -> None:
    """What tables, sweeps, reports and comparisons read of a run; raises SnnlabError only.

    Args:
        root: the folder of all runs.
        whole: the checked configuration of the run, from before the damage.
        run: the directory of the run.
        damaged: the file in it that is damaged; what costs a second is done only where that file is read.
    """
    stored_result(whole, run)
    assert Point({}, whole).ended(None).status in ("done", "failed", "interrupted", "not run")
    planned = PlannedRun((), whole)
    assert planned.state
    for metric in ("test/acc", "train/loss", "result/samples_per_second", "test/ece_cum/t*"):
        cell_value(planned, metric, "last")
    provenance(planned, "row")
    read_status(run)
    found = find_runs(root)
    assert found, "one damaged run stops no report"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert main(["verify", str(run)]) in (0, 1)
        assert main(["diff", str(run), str(run.with_name("seed1"))]) in (0, 2)
    assert "Traceback" not in said.getvalue()
    if damaged in ("config.yaml", "overrides.txt"):
        with contextlib.suppress(SnnlabError):
            load_stored(run)
    if damaged == CHECKPOINTS[0]:
        with contextlib.suppress(SnnlabError):
            checkpoint.load(run / CHECKPOINTS[0])
    if damaged == "evaluation.json":
        run_page([one for one in found if one.folder == run and one.evaluation] or found[-1:])


def other_shape(content: Any) -> st.SearchStrategy[Any]:
    """The same JSON with one value of another type, or with a key less."""
    values = [None, True, -1, 1e300, "text", "", [], [1], {}, {"a": {"b": 1}}, [[["deep"]]]]

    def changed(choice: tuple[int, Any, bool]) -> Any:
        number, value, dropped = choice
        copy = json.loads(json.dumps(content))
        places = list(_places(copy))
        holder, key = places[number % len(places)]
        if dropped:
            del holder[key]
        else:
            holder[key] = value
        return copy

    return st.tuples(st.integers(0, 10_000), st.sampled_from(values), st.booleans()).map(changed)


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield content, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _damages(file: Path) -> st.SearchStrategy[bytes]:
    content = file.read_bytes()
    if file.suffix == ".json":
        return st.one_of(
            mutated(content), other_shape(json.loads(content)).map(lambda one: json.dumps(one).encode())
        )
    if file.suffix == ".yaml":
        shapes = other_shape(yaml.safe_load(content))
        return st.one_of(mutated(content), shapes.map(lambda one: yaml.safe_dump(one).encode()))
    if file.suffix == ".jsonl":
        lines = [json.loads(line) for line in content.splitlines()]
        rows = other_shape(lines).map(lambda one: "".join(f"{json.dumps(row)}\n" for row in one))
        return st.one_of(mutated(content), rows.map(str.encode))
    return mutated(content)


def _try_damaged(runs: Path, tmp_path: Path, name: str, examples: int, *, derandomize: bool) -> None:
    (whole,) = runs.glob("*/*/seed0")
    cfg = load_stored(whole, [f"paths.runs={tmp_path / 'runs'}"])
    copy = tmp_path / "runs" / whole.parent.parent.name / whole.parent.name

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_damages(whole / name))
    def damaged(content: bytes) -> None:
        shutil.rmtree(tmp_path / "runs", ignore_errors=True)
        shutil.copytree(whole.parent, copy)
        (copy / "seed0" / name).write_bytes(content)
        read_everything(tmp_path / "runs", cfg, copy / "seed0", name)

    damaged()


@pytest.mark.parametrize("name", TEXTS + CHECKPOINTS)
def test_some_damaged_files_of_a_run(runs, tmp_path, name):
    # A page is drawn for each example of this one.
    _try_damaged(runs, tmp_path, name, 2 if name == "evaluation.json" else SAMPLE, derandomize=True)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TEXTS + CHECKPOINTS)
def test_many_damaged_files_of_a_run(runs, tmp_path, name):
    _try_damaged(runs, tmp_path, name, MANY, derandomize=False)
