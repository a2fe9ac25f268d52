"""The run directory is a function of what decides the result, and of nothing else."""

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest

from snnlab.config import trainer_config
from snnlab.config.check import check
from snnlab.config.signature import read_component
from snnlab.runs.identity import as_stored, config_hash, dirs_of_any_data, hashes, run_dir, run_dirs, run_hash
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


@pytest.fixture
def another_version(tmp_path, monkeypatch):
    """Makes the trainer's settings those of a version with further keys."""

    def declare(*lines):
        text = Path(trainer_config.__file__).read_text()
        head = "    epochs: PositiveInt = 100\n"
        assert head in text
        file = tmp_path / f"trainer{len(list(tmp_path.glob('trainer*')))}.py"
        file.write_text(text.replace(head, "".join(f"    {line}\n" for line in lines) + head))
        monkeypatch.setattr(trainer_config, "__file__", str(file))

    return declare


def with_trainer(cfg, **values):
    return replace(cfg, raw={**cfg.raw, "trainer": {**values, **cfg.raw["trainer"]}})


def test_a_new_key_with_a_default_moves_no_run(another_version):
    cfg = load(["experiment=quickstart", "trainer.epochs=3"])
    before = run_dirs(cfg)
    assert len(before) == 2, "its own and that of version 0.1.0"
    another_version("warm: PositiveInt | None = 5", "places: tuple[int, ...] = (1, 2)")
    assert run_dirs(with_trainer(cfg, warm=5, places=[1, 2])) == before


def test_a_new_key_that_is_set_makes_another_run_which_the_version_before_did_not_have(another_version):
    cfg = load(["experiment=quickstart", "trainer.epochs=3"])
    another_version("warm: PositiveInt | None = 5")
    (only,) = hashes(with_trainer(cfg, warm=6))
    assert only not in hashes(cfg)


def test_whether_a_key_counts_is_said_where_it_is_declared(another_version):
    cfg = load(["experiment=quickstart"])
    another_version("warm: Unhashed[PositiveInt] = 5")
    assert run_dirs(with_trainer(cfg, warm=6)) == run_dirs(cfg)


PLUGIN = """
from snnlab.ranges import Unhashed


class Mine:
    def __init__(self, *, decay: float = 0.5{more}) -> None: ...
"""


def test_a_new_key_of_a_component_moves_no_run(tmp_path, raw):
    file = tmp_path / "hashed_lab/neurons/mine.py"
    file.parent.mkdir(parents=True)

    def hash_of(more, **values):
        file.write_text(PLUGIN.format(more=more))
        read_component.cache_clear()
        return config_hash({**raw, "plugins": ["hashed_lab"], "neuron": {"name": "mine", **values}})

    before = hash_of("", decay=0.25)
    assert hash_of(", tau: float = 2.0", decay=0.25, tau=2.0) == before
    assert hash_of(", tau: float = 2.0", decay=0.25, tau=3.0) != before
    assert hash_of(", tau: Unhashed[float] = 2.0", decay=0.25, tau=3.0) == before
    assert hash_of("", decay=0.5) != before
    read_component.cache_clear()


def test_a_component_that_is_not_installed_counts_with_all_its_keys(raw):
    found = [config_hash({**raw, "neuron": {"name": "gone", "decay": decay}}) for decay in (0.5, 0.25)]
    assert found[0] != found[1]


def test_what_else_is_given_counts(raw):
    assert config_hash(raw, also={"a": 1}) != config_hash(raw)


def test_data_are_a_part_of_the_name(tmp_path):
    cfg = load([f"paths.runs={tmp_path}", "trainer.channels_last=false"])
    one, other = replace(cfg, data="a" * 16), replace(cfg, data="b" * 16)
    assert run_dir(one).parent.name == f"{run_dir(cfg).parent.name}-aaaaaaaa"
    assert len(hashes(one)) == 1, "version 0.1.0 knew nothing of data"
    assert dirs_of_any_data(cfg) == []
    run_dir(one).mkdir(parents=True)
    assert run_dir(cfg) == run_dir(one), "data that are not known may be any"
    assert run_dir(other) != run_dir(one)
    assert dirs_of_any_data(other) == [run_dir(one)]


def test_a_run_of_the_version_before_is_found_until_there_is_one_of_this():
    cfg = load(["experiment=quickstart", "trainer.channels_last=false"])
    own, old = run_dirs(cfg)
    assert own != old
    assert run_dir(cfg) == own
    old.mkdir(parents=True)
    assert run_dir(cfg) == old
    assert f"-{run_hash(cfg)}" in str(old)
    own.mkdir(parents=True)
    assert run_dir(cfg) == own


def layouts(tmp_path, *more):
    """A run of a network of 2-D convolutions with the layout auto, on, and off."""
    given = ["model=resnet19_snn", "trainer.device=cpu", f"paths.runs={tmp_path}", *more]
    return [load([*given, f"trainer.channels_last={one}"]) for one in ("auto", "true", "false")]


def test_what_auto_chose_is_part_of_the_hash(tmp_path):
    for settings, chosen in (("trainer.precision=fp32", True), ("model=text_cnn_snn", False)):
        auto, on, off = layouts(tmp_path, settings)
        assert auto.chosen == {"trainer.channels_last": chosen}
        assert run_dir(auto) == run_dir(on if chosen else off)
        assert run_dir(on) != run_dir(off)
        assert not on.chosen


def test_false_has_the_hash_that_it_had_as_the_default(raw):
    """Runs of version 0.1.0 without convolutions and with them: see tests/golden, which has their hashes."""
    without = {**raw, "trainer": {k: v for k, v in raw["trainer"].items() if k != "channels_last"}}
    hashes_of = [
        config_hash({**raw, "trainer": {**raw["trainer"], "channels_last": one}}) for one in (True, False)
    ]
    assert hashes_of[1] == config_hash(without) != hashes_of[0]


def test_a_run_in_the_other_layout_is_the_one_that_auto_continues(tmp_path):
    auto, on, off = layouts(tmp_path)
    run_dir(off).mkdir(parents=True)
    assert run_dir(auto) == run_dir(off)
    found = as_stored(auto)
    assert found.trainer.channels_last is found.raw["trainer"]["channels_last"] is False
    assert found.chosen == {"trainer.channels_last": False}
    assert run_dir(on) != run_dir(off), "who asks for a layout gets it"
    assert as_stored(on).trainer.channels_last is True
    assert run_dir(layouts(tmp_path, "seed=3")[0]).parent == run_dir(off).parent, "seeds lie side by side"
    run_dir(on).mkdir(parents=True)
    assert run_dir(auto) == run_dir(on)
    assert as_stored(auto).trainer.channels_last is True
