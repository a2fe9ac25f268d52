"""The run directory is a function of what decides the result, and of nothing else."""

import copy
import re

import pytest

from snnlab.config.check import check, section
from snnlab.runs.identity import HASH_LEAVES_OUT, config_hash, run_dir
from snnlab.runs.load import load


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def raw():
    return load(["+augment.flip.p=0.5", "+augment.crop.padding=2"]).raw


def changed(raw, path, value):
    found = copy.deepcopy(dict(raw))
    *groups, key = path.split(".")
    node = found
    for group in groups:
        node = node[group]
    node[key] = value
    return run_dir(check(found)).parent.name


def test_form(tmp_path):
    folder = run_dir(load(["experiment=quickstart", "seed=3"]))
    assert folder.parent.parent == tmp_path / "runs/quickstart"
    assert folder.name == "seed3"
    assert re.fullmatch(r"digits_dvs-vgg_snn-lif-tmc-t\d+-[0-9a-f]{8}", folder.parent.name)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 5),
        ("experiment", "other"),
        ("trainer.device", "cpu"),
        ("trainer.num_workers", 3),
        ("trainer.eval_batch_size", 9),
        ("trainer.progress", "none"),
        ("trainer.plots", False),
        ("trainer.on_existing", "restart"),
        ("trainer.threads", 1),
        ("trainer.checkpoint_every", 5),
        ("trainer.detect_anomaly", True),
        ("trainer.profile", True),
        ("logger.wandb", "auto"),
        ("logger.tags", ["a"]),
        ("paths.data", "/x"),
        ("neuron.threshold", 1),
    ],
)
def test_what_does_not_change_the_result_does_not_change_the_hash(raw, path, value):
    assert changed(raw, path, value) == changed(raw, "seed", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("num_steps", 4),
        ("neuron.threshold", 1.5),
        ("surrogate", {"name": "atan"}),
        ("voters", 10),
        ("trainer.epochs", 3),
        ("trainer.batch_size", 5),
        ("trainer.precision", "bf16"),
        ("trainer.select", "test/ece"),
        ("trainer.synthetic", True),
        ("optimizer.lr", 0.5),
        ("augment", {"crop": {"padding": 2}, "flip": {"p": 0.5}}),
        ("augment", {}),
        ("regulariser", {"pnb": {}}),
        ("surrogate", {"name": "tsg"}),
    ],
)
def test_what_changes_the_result_changes_the_hash(raw, path, value):
    assert changed(raw, path, value) != changed(raw, "seed", 0)


def test_the_order_of_keys_does_not_matter(raw):
    reversed_keys = dict(reversed(raw.items()))
    assert config_hash(reversed_keys) == config_hash(raw)


def test_regularisers_are_a_sum_so_their_order_does_not_matter(raw):
    two = {"a": {"weight": 1.0}, "b": {"weight": 2.0}}
    turned = {**raw, "regulariser": dict(reversed(two.items()))}
    assert config_hash({**raw, "regulariser": two}) == config_hash(turned)


def test_the_folder_names_the_residual_neuron():
    plain, *others = (
        run_dir(load(["model=resnet18_snn", "loss=sdt", *given])).parent.name
        for given in ([], ["residual_neuron=cf"], ["residual_neuron={name:cf,K_P:3}"])
    )
    assert plain.startswith("digits_dvs-resnet18_snn-lif-sdt")
    assert all(one.startswith("digits_dvs-resnet18_snn-lif+cf-sdt") for one in others)
    assert len({plain, *others}) == 3


def test_the_folder_names_the_regularisers():
    folder = run_dir(load(["experiment=quickstart", "loss=sdt", "regulariser=pnb"])).parent.name
    assert folder.startswith("digits_dvs-vgg_snn-lif-sdt+pnb-t")


def test_each_key_left_out_exists():
    for key in HASH_LEAVES_OUT:
        group, _, name = key.partition(".")
        assert group in ("paths", "logger") or (name or group) in section(group if name else "").keys
