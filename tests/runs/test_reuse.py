"""A run directory is not reused for a configuration that it was not made with."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.runs.reuse import differences, refuse_other_settings, stored_result


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    monkeypatch.chdir(tmp_path)
    return load(["experiment=quickstart"])


def store(cfg: RunConfig, **changed: Any) -> Path:
    """Writes a finished run of a configuration with other values, by `group__key`."""
    raw = copy.deepcopy(dict(cfg.raw))
    for path, value in changed.items():
        group, _, key = path.partition("__")
        raw[group][key] = value
    folder = run_dir(cfg)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(raw))
    (folder / "result.json").write_text(json.dumps({"last": {}, "best": {}}))
    return folder


def test_the_same_settings_are_reused(cfg: RunConfig) -> None:
    folder = store(cfg, paths__data="/elsewhere", trainer__device="cuda", logger__wandb="auto")
    refuse_other_settings(cfg, folder)
    assert stored_result(cfg, folder) == {"last": {}, "best": {}}


def test_keys_that_only_one_of_both_has_are_not_compared(cfg: RunConfig) -> None:
    folder = store(cfg, trainer__of_then=1)
    raw = {**cfg.raw, "trainer": {**cfg.raw["trainer"], "of_now": 2}}
    assert differences(replace(cfg, raw=raw), folder) == {}


def test_another_default_then_is_refused_and_named(cfg: RunConfig) -> None:
    folder = store(cfg, neuron__threshold=0.75, model__pool="max", trainer__ema=0.5, optimizer__eps=1.0)
    assert differences(cfg, folder)["neuron.threshold"] == (0.75, 1.0)
    with pytest.raises(ConfigError, match=r"model\.pool: 'max', not 'avg'; neuron.* and 1 more") as error:
        refuse_other_settings(cfg, folder)
    assert "trainer.on_existing=restart" in error.value.hint
    assert stored_result(cfg, folder) is None


def test_restart_forgets_it(cfg: RunConfig) -> None:
    folder = store(cfg, neuron__threshold=0.75)
    refuse_other_settings(replace(cfg, trainer=replace(cfg.trainer, on_existing="restart")), folder)


def test_another_component_is_named(cfg: RunConfig) -> None:
    assert differences(cfg, store(cfg, neuron__name="plif"))["neuron"] == ("plif", "lif")


def test_a_file_that_has_changed_is_read_again(cfg: RunConfig) -> None:
    assert differences(cfg, store(cfg, neuron__threshold=0.75))
    assert not differences(cfg, store(cfg))


def test_a_directory_without_a_configuration_has_nothing_to_compare(cfg: RunConfig) -> None:
    assert differences(cfg, run_dir(cfg)) == {}
