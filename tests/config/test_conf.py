"""The shipped YAML: each component's file equals its signature, all groups have choices, no callables."""

import re
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from snnlab.config.check import section
from snnlab.config.component_yaml import component_yaml
from snnlab.config.origins import keys_of_file
from snnlab.config.problems import plain
from snnlab.config.search import SearchPath, shipped
from snnlab.config.signature import read_component, read_dataclass
from snnlab.registry import KINDS, SEVERAL, component_files
from snnlab.runs.load import load
from snnlab.sweep import options

SEARCH = SearchPath()
COMPONENTS = [(kind, name) for kind in KINDS for name in component_files(kind)]
EXPERIMENTS = SEARCH.options("experiment")


def content(config):
    return yaml.safe_load(SEARCH.file(config).read_text())


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_yaml_is_what_make_conf_writes(kind, name):
    file = SEARCH.file(f"{kind}/{name}")
    assert file, f"conf/{kind}/{name}.yaml is missing: make conf"
    assert file.read_text() == component_yaml(kind, component_files(kind)[name][1]), "make conf"


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_yaml_equals_signature(kind, name):
    found = OmegaConf.to_container(OmegaConf.load(SEARCH.file(f"{kind}/{name}")))
    keys = read_component(component_files(kind)[name][1]).keys
    if kind in SEVERAL:
        assert list(found) == [name]
        values = found[name]
    else:
        assert found.pop("name") == name
        values = found
    assert list(values) == list(keys)
    assert {key: keys[key].type.convert(value) for key, value in values.items()} == {
        key: one.default for key, one in keys.items()
    }


@pytest.mark.parametrize(("config", "name"), [("trainer/default", "trainer"), ("logger/none", "logger")])
def test_settings_equal_the_dataclass(config, name):
    assert content(config) == {key: plain(one.default) for key, one in section(name).keys.items()}
    lines = SEARCH.file(config).read_text().splitlines()
    assert all("  # " in lines[line - 1] for _, line in keys_of_file(SEARCH.file(config)))


@pytest.mark.parametrize(("target", "launcher"), options.OPTIONS.items())
def test_a_launcher_of_ours_equals_its_options(target, launcher):
    name, kind = launcher
    keys = read_dataclass(Path(options.__file__), kind.__name__).keys
    found = content(f"hydra/launcher/{name}")
    assert found.pop("_target_") == target
    assert found == {key: one.default for key, one in keys.items()}


def test_the_top_level_equals_the_dataclass():
    main = content("train")
    keys = section("").keys
    assert {key: main[key] for key in keys if key != "experiment"} == {
        key: plain(one.default) for key, one in keys.items() if key != "experiment"
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is(name):
    assert SEARCH.file(f"experiment/{name}").read_text().startswith("# @package _global_\n# ")


@pytest.mark.parametrize("name", SEARCH.options("debug"))
def test_every_debug_mode_checks(name):
    load(["+experiment=quickstart", f"debug={name}"])
    assert SEARCH.description(f"debug/{name}")


@pytest.mark.parametrize("loss", SEARCH.options("loss"))
def test_an_experiment_takes_any_loss(loss):
    assert load(["+experiment=quickstart", f"loss={loss}"]).loss.name == loss


def test_targets_are_named_in_conf_hydra_only():
    for file in shipped().rglob("*.yaml"):
        if "_target_" in file.read_text():
            assert file.parent == shipped() / "hydra/launcher"


def test_ascii():
    for file in shipped().rglob("*.yaml"):
        assert not re.search(r"[^\x00-\x7f]", file.read_text()), file
