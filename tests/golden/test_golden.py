"""What version 0.1.0 has written keeps loading: run directories, their hash, a checkpoint, a table.

`finished` and `interrupted` are whole run directories of the command in their overrides.txt.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from snnlab.cli import main
from snnlab.config.check import section
from snnlab.config.problems import plain
from snnlab.config.signature import Key, read_component
from snnlab.registry import component_files
from snnlab.runs import checkpoint
from snnlab.runs.deciding import UNNAMED
from snnlab.runs.identity import SCHEMA, config_hash
from snnlab.runs.old_identity import old_hash
from snnlab.runs.results import RunResult, read_metrics, read_result, read_status
from snnlab.runs.weights import identity_of_run

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "results"
OLD, NEW = "8f535c98", "63003015"
LIMITS = ("trainer.limit_train_batches=6", "trainer.limit_test_batches=6", "trainer.limit_draw=first")
DEFAULTS = json.loads((HERE / "defaults.json").read_text())


def stored(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((HERE / name / "config.yaml").read_text())
    return content


def train(runs: Path) -> int:
    """The command that made both runs, in the words of today: `trainer.max_steps` has another meaning."""
    lines = (HERE / "finished/overrides.txt").read_text().split()
    same = [one for one in lines if not one.startswith(("paths.", "trainer.max_steps"))]
    return main(["train", *same, *LIMITS, f"paths.runs={runs}"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where version 0.1.0 put both."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / f"runs/quickstart/digits_dvs-vgg_snn-plif-tmc-t3-{OLD}/seed0"


@pytest.fixture
def finished(place: Path) -> Path:
    return shutil.copytree(HERE / "finished", place)


def close(found: Mapping[str, float], wanted: Mapping[str, float]) -> None:
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        assert found[key] == pytest.approx(value, abs=1e-4), key


@pytest.mark.parametrize("name", ["finished", "interrupted"])
def test_both_hashes_of_a_stored_configuration_stay(name: str) -> None:
    assert SCHEMA == 1, "it was raised: NEW is another one from here on"
    assert (old_hash(stored(name)), config_hash(stored(name))) == (OLD, NEW)


def test_a_stored_result_is_read_and_written_the_same(finished: Path) -> None:
    content = read_result(finished)
    assert content is not None
    result = RunResult.of(content)
    assert result is not None
    assert result.as_mapping() == content
    assert list(result.as_mapping()) == list(content)


@pytest.mark.parametrize("name", ["finished", "interrupted"])
@pytest.mark.parametrize("which", ["last", "best"])
def test_stored_checkpoints_load(name: str, which: str) -> None:
    content = checkpoint.load(HERE / name / f"checkpoints/{which}.pt")
    assert content["config_hash"] == OLD
    assert checkpoint.weights_of(content)
    assert checkpoint.weights_of(content, "average")


def test_a_stored_network_measures_the_same(finished: Path) -> None:
    assert main(["eval", f"run={finished}"]) == 0
    (file,) = finished.glob("eval-last-t3-*.json")
    wanted = read_result(finished)
    assert wanted is not None
    close(
        json.loads(file.read_text())["metrics"],
        # What 0.1.0 called leak is called decay.
        {
            key.replace("/leak/", "/decay/"): value
            for key, value in wanted["last"].items()
            if key.startswith("test/")
        },
    )


def test_the_same_command_finds_a_finished_run(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (finished / "result.json").read_bytes()
    assert train(finished.parents[2]) == 0
    assert f"{finished.relative_to(Path.cwd())}" in capsys.readouterr().out
    assert (finished / "result.json").read_bytes() == before
    assert len(list(finished.parents[1].iterdir())) == 1, "nothing was trained anew"


def test_a_run_that_has_other_settings_than_its_name_says_is_refused(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = finished / "config.yaml"
    file.write_text(file.read_text().replace("init_decay: 0.5", "init_decay: 0.75"))
    assert train(finished.parents[2]) == 2
    said = capsys.readouterr().err
    assert "was made with other settings: neuron.init_decay: 0.75, not 0.5" in said
    assert "hint: trainer.on_existing=restart" in said


def test_the_same_command_continues_an_interrupted_run(place: Path) -> None:
    shutil.copytree(HERE / "interrupted", place)
    rows = read_metrics(place)
    assert train(place.parents[2]) == 0
    assert read_status(place) == {"status": "done"}
    assert len(list(place.parents[1].iterdir())) == 1
    result, whole = read_result(place), read_result(HERE / "finished")
    assert result is not None
    assert whole is not None
    assert result["config_hash"] == OLD, "as the directory is named"
    kept = checkpoint.load(HERE / "interrupted/checkpoints/last.pt")["position"]["rows"]
    assert read_metrics(place)[:kept] == rows[:kept], "it was continued, not started again"
    # Other processors round otherwise, and a training step makes more of it.
    assert result["last"]["test/loss"] == pytest.approx(whole["last"]["test/loss"], abs=0.02)


def test_a_stored_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "tmc_1", "--from", str(HERE / "table.json")]) == 0
    assert "71.52" in capsys.readouterr().out


@pytest.mark.parametrize(
    "file", [one for one in RESULTS.glob("*.json") if "cells" in one.read_text()], ids=lambda one: one.stem
)
def test_the_stored_results_load(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", json.loads(file.read_text())["table"], "--from", str(file)]) == 0
    assert capsys.readouterr().out


def test_a_checkpoint_keeps_its_identity() -> None:
    """It is part of the configuration, and so of the hash, of every run that starts or learns from it."""
    assert identity_of_run(HERE / "finished", "last", "init.run") == f"run {OLD} 108a3d1d802d7de0"


def keys_of(part: str) -> Mapping[str, Key]:
    kind, _, name = part.partition(" ")
    if not name:
        return section(kind).keys
    files = component_files(kind)
    return read_component(files[name][1]).keys if name in files else {}


@pytest.mark.parametrize("part", DEFAULTS)
def test_defaults_are_those_of_the_schema(part: str) -> None:
    """A hash leaves defaults out, so it would stand for another run: raise SCHEMA, and write the new one here."""
    assert SCHEMA == 1
    keys = {name: one for name, one in keys_of(part).items() if one.hashed and name in DEFAULTS[part]}
    now = {
        name: UNNAMED.get(f"{part}.{name}", plain(one.type.convert(one.default)))
        for name, one in keys.items()
    }
    assert now == {name: value for name, value in DEFAULTS[part].items() if name in keys}
