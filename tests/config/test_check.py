"""The checker itself: all problems are collected, rules across fields, what ends up in `raw`."""

import pickle
from pathlib import Path

import pytest
import yaml

from snnlab.config.check import check
from snnlab.errors import ConfigError, DataError, RunError, SnnlabError
from snnlab.runs.load import load


def raw():
    return yaml.safe_load(yaml.safe_dump(load().raw))


def test_raw_is_plain_and_checks_to_itself():
    cfg = load(["+experiment=quickstart", "logger.tags=[a,b]", "+augment.flip.p=0.5"])
    again = check(yaml.safe_load(yaml.safe_dump(cfg.raw)))
    assert again.raw == cfg.raw
    assert again.trainer == cfg.trainer
    assert again.logger.tags == ("a", "b")
    assert again.augment == cfg.augment
    assert isinstance(again.paths.data, Path)


def test_the_config_can_be_pickled():
    cfg = load()
    assert pickle.loads(pickle.dumps(cfg)) == cfg


def test_all_problems_are_collected():
    with pytest.raises(ConfigError) as caught:
        load(["neuron.tua=3", "trainer.epochs=0", "logger.wandb=maybe", "foo=1"])
    problems = caught.value.problems
    assert [one.message.partition(":")[0] for one in problems] == [
        "foo",
        "neuron.tua",
        "trainer.epochs",
        "logger.wandb",
    ]
    assert caught.value.message == problems[0].message
    assert caught.value.hint.endswith("(+ 3 more problems: snnlab check --json)")


def test_a_tau_below_one_step_is_out_of_range():
    with pytest.raises(ConfigError, match=r"neuron\.tau: 0\.5 is out of range, expected a number >= 1"):
        load(["neuron=lif", "neuron.tau=0.5"])


def test_missing_keys_take_their_defaults():
    values = raw()
    del values["neuron"]["threshold"], values["trainer"]["epochs"], values["seed"], values["logger"]
    cfg = check(values)
    assert cfg.raw == load(["logger=none"]).raw, "who names no logger has none"


@pytest.mark.parametrize("kind", ["neuron", "model", "dataset"])
@pytest.mark.parametrize("value", [None, {}, "???"])
def test_nothing_chosen(kind, value):
    with pytest.raises(ConfigError) as caught:
        check({**raw(), kind: value})
    assert caught.value.message == f"{kind}: nothing is chosen"
    assert caught.value.hint.startswith(f"{kind}=<name>, one of: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neuron": "lif"}, "neuron: expected a mapping with a name, got 'lif'"),
        ({"neuron": {"threshold": 1}}, "neuron: has no name"),
        ({"trainer": 3}, "trainer: expected keys with values, got 3"),
        ({"augment": 3}, "augment: expected names with their keys, got 3"),
        ({"augment": {"flip": 3}}, "augment.flip: expected keys, got 3"),
        ({"experiment": "a/b"}, "experiment: 'a/b' cannot name a folder"),
        ({"experiment": ".."}, "experiment: '..' cannot name a folder"),
        ({"seed": True}, "seed: expected an integer >= 0, got true"),
    ],
)
def test_mappings_of_the_wrong_shape(change, message):
    with pytest.raises(ConfigError) as caught:
        check({**raw(), **change})
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"device": "gpu"}, "trainer.device: unknown device 'gpu'"),
        ({"precision": "fp16", "device": "cpu"}, "trainer.precision: fp16 needs loss scaling"),
        ({"pack_spikes": True, "compile": True}, "trainer.pack_spikes: torch.compile decides"),
        ({"select": "test/accuracy"}, "trainer.select: unknown metric 'test/accuracy'"),
        ({"select": "test/ece_step/t0"}, "trainer.select: unknown metric 'test/ece_step/t0'"),
    ],
)
def test_rules_across_fields(trainer, message):
    values = raw()
    values["trainer"].update(trainer)
    with pytest.raises(ConfigError) as caught:
        check(values)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize("select", ["test/acc", "test/loss", "test/ece_step/t4", "test/nll_cum/t10"])
def test_metrics_to_select_by(select):
    assert load([f"trainer.select={select}"]).trainer.select == select


def test_a_step_beyond_the_last_one_cannot_be_selected_by():
    with pytest.raises(ConfigError, match=r"trainer\.select: 'test/acc_cum/t5' is beyond the last time step"):
        load(["num_steps=4", "trainer.select=test/acc_cum/t5"])


def test_the_families_of_errors():
    for kind, code in ((ConfigError, 2), (DataError, 2), (RunError, 1)):
        error = kind("what", "hint")
        assert isinstance(error, SnnlabError)
        assert isinstance(error, ValueError)
        assert error.exit_code == code
        copy = pickle.loads(pickle.dumps(error))
        assert (copy.message, copy.hint) == ("what", "hint")
