"""A run directory's config as the base for `eval`."""

import pytest
import yaml

from snnlab.config.check import SECTIONS
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL
from snnlab.runs.config_file import read_config
from snnlab.runs.load import load
from snnlab.runs.stored_config import load_stored


@pytest.fixture(scope="module")
def stored():
    cfg = load(["experiment=quickstart", "neuron=plif", "paths.data=/elsewhere"])
    return yaml.safe_dump(dict(cfg.raw), sort_keys=False)


@pytest.fixture
def run(tmp_path, monkeypatch, stored):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "a/b/seed0"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(stored)
    return folder


def test_the_stored_config_is_the_base(run, tmp_path):
    cfg = load_stored(run)
    assert (cfg.experiment, cfg.neuron.name, cfg.num_steps) == ("quickstart", "plif", 6)
    assert cfg.paths.data == tmp_path / "data", "folders are today's"


def test_overrides(run):
    cfg = load_stored(
        run, ["num_steps=9", "trainer.device=cpu", "paths.data=/x", "neuron.threshold=2", "logger=wandb"]
    )
    assert (cfg.num_steps, cfg.trainer.device, str(cfg.paths.data)) == (9, "cpu", "/x")
    assert cfg.neuron.params["threshold"] == 2.0
    assert cfg.logger.wandb == "auto"
    assert cfg.overrides == (
        "num_steps=9",
        "trainer.device=cpu",
        "paths.data=/x",
        "neuron.threshold=2",
        "logger=wandb",
    )
    assert load_stored(run, ["dataset=digits"]).dataset.name == "digits"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("neuron.tua=3", "neuron.tua: unknown key"),
        ("num_steps=0", "num_steps: 0 is out of range, expected an integer > 0"),
        ("seed=0,1", "seed=0,1: not possible on a stored run"),
        ("experiment=quickstart", "experiment=quickstart: a stored run has its experiment already"),
        ("neuron=nope", "neuron: unknown choice 'nope'"),
        ("~neuron.threshold", "~neuron.threshold: not possible on a stored run"),
    ],
)
def test_wrong_overrides(run, override, message):
    with pytest.raises(ConfigError) as caught:
        load_stored(run, [override])
    assert caught.value.message == message
    assert caught.value.hint


def test_no_run(run, tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_stored(tmp_path / "a/b")
    assert caught.value.hint == f"did you mean {run}?"
    (run / "config.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="is not the configuration of a run"):
        load_stored(run)


SHAPES = [
    *((key, value) for key in (*SECTIONS, *SEVERAL, *KINDS) for value in (True, 1e300, "text", [1])),
    *((key, {"a": [1]}) for key in (*SEVERAL, *KINDS)),
    *(("residual_neuron", value) for value in (True, "lif", {}, {"name": 1})),
]


@pytest.mark.parametrize(("key", "value"), SHAPES)
def test_another_shape_of_any_part_is_damage(run, key, value):
    file = run / "config.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), key: value}))
    with pytest.raises(ConfigError, match="is not the configuration of a run"):
        read_config(run)
