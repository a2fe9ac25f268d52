"""Composition: spellings, order, origins, own configs and components, Hydra's errors in our words."""

import pytest

from snnlab.config.compose import compose, compose_with, loader
from snnlab.config.overrides import read_overrides
from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError
from snnlab.ranges import Default
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load

# The command line names the package too, or its code does not run.
PLUGIN = "plugins=[my_pkg]"


def load_mine(*overrides):
    return load(overrides, ["my_conf"])


@pytest.mark.parametrize("spelling", ["experiment=mine", "+experiment=mine", "++experiment=mine"])
def test_all_spellings_of_experiment(mine, spelling):
    cfg = load_mine(spelling, PLUGIN)
    assert cfg.experiment == "mine"
    assert cfg.neuron.name == "foo_bar"
    assert cfg.neuron.params["decay"] == 0.25
    assert cfg.num_steps == 3
    assert cfg.overrides == ("experiment=mine", PLUGIN)


@pytest.mark.parametrize("spelling", ["neuron=plif", "+neuron=plif", "++neuron=plif"])
def test_all_spellings_of_a_choice(spelling):
    assert load([spelling]).neuron.name == "plif"


def test_no_experiment_is_fine():
    assert load().experiment == load(["experiment=null"]).experiment == "custom"


def test_the_last_of_two_overrides_counts():
    cfg = load(["seed=1", "neuron=if", "neuron=plif", "seed=2"])
    assert (cfg.seed, cfg.neuron.name) == (2, "plif")


def test_the_debug_mode_wins_over_the_experiment_in_any_order():
    first = load(["debug=smoke", "experiment=quickstart"])
    last = load(["+experiment=quickstart", "+debug=smoke"])
    assert first.raw == last.raw
    assert first.trainer.max_steps == 2
    assert first.experiment == "quickstart"


def test_the_command_line_wins_over_all():
    assert load(["trainer.batch_size=7", "debug=smoke", "experiment=quickstart"]).trainer.batch_size == 7


def test_origins(mine):
    origins = compose(["+experiment=mine", "neuron.tau=2", "+augment.flip.p=0.25"], ["my_conf"]).origins
    assert origins["neuron.decay"].text == "my_conf/experiment/mine.yaml:8"
    assert origins["neuron.sizes"].text == "my_conf/neuron/foo_bar.yaml:5"
    assert origins["neuron.tau"].text == "command line"
    assert origins["augment.flip.p"].by_hand
    assert origins["trainer.epochs"].text == "conf/trainer/default.yaml:2"
    assert origins["seed"].text.startswith("conf/train.yaml:")


def test_paths_are_absolute_and_come_from_the_environment(mine, monkeypatch):
    paths = load().paths
    assert (paths.runs, paths.data) == (mine / "runs", mine / "data")
    monkeypatch.setenv("SNNLAB_DATA", "/somewhere")
    assert str(load().paths.data) == "/somewhere"
    assert load(["paths.data=elsewhere"]).paths.data == mine / "elsewhere"
    assert run_dir(load()).is_relative_to(mine / "runs" / "custom")


def test_a_component_of_a_plugin_without_the_plugin(mine):
    with pytest.raises(ConfigError, match=r"neuron: no neuron is called 'foo_bar'"):
        load_mine("neuron=foo_bar")


def test_what_was_written_for_another_component_is_left_out_with_a_note(mine):
    cfg = load_mine(PLUGIN, "experiment=mine", "neuron=baz")
    assert cfg.neuron.params == {"beta": 1.0, "reset": "soft"}
    assert cfg.notes == (
        "neuron.decay=0.25 (my_conf/experiment/mine.yaml:8) was written for neuron 'foo_bar' "
        "and is left out for 'baz'",
        "neuron.reset=soft (my_conf/experiment/mine.yaml:9) was written for neuron 'foo_bar' "
        "and also holds for 'baz'",
    )
    assert load_mine(PLUGIN, "experiment=heir").neuron.params == cfg.neuron.params
    assert load_mine(PLUGIN, "experiment=mine").notes == ()


def test_what_the_command_line_sets_is_never_left_out(mine):
    with pytest.raises(ConfigError, match=r"neuron.decay: neuron 'baz' has no such key"):
        load_mine(PLUGIN, "experiment=mine", "neuron=baz", "neuron.decay=0.5")


def test_augmentations_keep_their_order_and_can_be_switched_off():
    on = load(["+augment.flip.p=0.2", "+augment.crop.padding=3"])
    assert [one.name for one in on.augment] == ["flip", "crop"]
    other = load(["+augment.crop.padding=3", "+augment.flip.p=0.2"])
    assert run_dir(on) != run_dir(other)
    preset = load(["augment=crop_flip"])
    assert [one.name for one in preset.augment] == ["crop", "flip"]
    assert [one.name for one in load(["augment=crop_flip", "augment.crop=null"]).augment] == ["flip"]
    assert load(["augment=null"]).augment == ()


def test_an_augmentation_of_an_experiment_is_gone_with_its_preset(mine):
    (mine / "my_conf/experiment/aug.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /augment: crop_flip\naugment:\n  cutout:\n    size: 4\n"
    )
    assert [one.name for one in load_mine("experiment=aug").augment] == ["crop", "flip", "cutout"]
    assert load_mine("experiment=aug", "augment=none").augment == ()
    assert [
        one.name for one in load_mine("experiment=aug", "augment=none", "augment.cutout.size=2").augment
    ] == ["cutout"]


def test_regularisers_are_chosen_like_augmentations():
    assert load([]).regulariser == ()
    (preset,) = load(["regulariser=pnb"]).regulariser
    (by_key,) = load(["+regulariser.pnb.weight=0.25"]).regulariser
    assert preset == by_key
    assert load(["regulariser=pnb", "regulariser.pnb=null"]).regulariser == ()


@pytest.mark.parametrize(
    ("file", "text", "error", "hint"),
    [
        (
            "experiment/bad.yaml",
            "seed: [",
            ": not valid YAML: ",
            "correct the file",
        ),
        *(
            (
                "experiment/bad.yaml",
                text,
                "experiment: 'bad' does not say where",
                "write '# @package _global_' as the first line of my_conf/experiment/bad.yaml",
            )
            for text in (
                "seed: 1",
                "defaults:\n  - override /neuron: plif\nseed: 1",
                "# My paper.\n# @package _global_\ndefaults:\n  - override /neuron: plif\n",
                "# @package global\nseed: 1",
                "# @package _global_ as always\nseed: 1",
                "neuron: plif",
            )
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nexperiment:\n  seed: 1\n",
            "experiment: keys stand below the experiment's name",
            "set in my_conf/experiment/bad.yaml:3; they are written without it",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\ndefaults:\n  - override /neuron: foo_baz\n",
            "neuron: unknown choice 'foo_baz'. Did you mean 'foo_bar'?",
            "choose one of: baz, ",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nneuron:\n  treshold: 1\n",
            "neuron.treshold: unknown key. Did you mean 'threshold'?",
            "set in my_conf/experiment/bad.yaml:3; keys of neuron 'lif': ",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nneuron:\n  _target_: os.system\n",
            "neuron._target_: unknown key",
            "set in my_conf/experiment/bad.yaml:3",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\ndataset:\n  on_device: auto\n",
            "dataset.on_device: unknown key. Did you mean 'trainer.data_on_device'?",
            "set in my_conf/experiment/bad.yaml:3; keys of dataset ",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nneuron:\n  test_batches: 2\n",
            "neuron.test_batches: unknown key. Did you mean 'trainer.limit_test_batches'?",
            "set in my_conf/experiment/bad.yaml:3; keys of neuron ",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nhydra:\n  callbacks:\n    a:\n      _target_: os.system\n",
            "hydra.callbacks: callbacks are not supported",
            "remove them",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\nhydra:\n  job_logging:\n    handlers:\n      a:\n        (): os.system\n",
            "hydra/job_logging: not one of Hydra's own",
            "use one of: none, ",
        ),
        (
            "experiment/bad.yaml",
            "# @package _global_\ntrainer:\n  epochs: ${nothing}\n",
            "trainer.epochs: Interpolation key 'nothing' not found",
            "snnlab show",
        ),
        ("neuron/lif.yaml", "name: lif\n", "there is a neuron/lif.yaml in", "give the file another name"),
    ],
)
def test_mistakes_in_files(mine, monkeypatch, file, text, error, hint):
    (mine / "my_conf" / file).write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_mine("experiment=bad" if "bad" in file else "seed=0")
    assert error in caught.value.message
    assert hint in caught.value.hint


def test_composing_leaves_no_trace_in_hydra():
    from hydra.core.global_hydra import GlobalHydra

    load()
    assert not GlobalHydra().is_initialized()


def test_two_experiments_are_a_slip():
    with pytest.raises(ConfigError, match="two experiments: experiment=tmc_nmnist and experiment=tet_nmnist"):
        compose(["+experiment=tmc_nmnist", "experiment=tet_nmnist"])
    assert compose(["+experiment=tmc_nmnist", "experiment=tmc_nmnist"]).mapping["experiment"] == "tmc_nmnist"


def test_a_composition_leaves_no_trace_in_the_next():
    search = SearchPath()
    with loader(search) as hydra_loader:

        def composed(*overrides):
            return compose_with(hydra_loader, read_overrides(overrides, search), search).mapping

        before = composed("+experiment=quickstart")
        changed = composed("+experiment=quickstart", "trainer.epochs=99", "seed=7", "neuron.decay=0.3")
        assert changed["trainer"]["epochs"] == 99
        assert composed("+experiment=quickstart") == before


def test_a_file_that_another_one_inherits_needs_its_line_too(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "base.yaml").write_text("num_steps: 3\n")
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - /experiment/base\n"
    )
    with pytest.raises(ConfigError, match="'base' does not say where") as caught:
        compose(["+experiment=mine"], [tmp_path])
    assert caught.value.hint.endswith("experiment/base.yaml")


def test_a_group_of_ones_own_needs_the_line_and_one_below_a_section_does_not(tmp_path):
    for name, text in (("hard", "num_steps: 3"), ("trainer", "epochs: 3")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match="hard: 'mine' does not say where"):
        compose(["+hard=mine"], [tmp_path])
    assert compose(["+trainer=mine"], [tmp_path]).mapping["trainer"]["epochs"] == 3


@pytest.mark.parametrize("decay", ["0.5", "0.3"])
def test_a_file_contradicts_itself_with_a_default_too(mine, decay):
    """`decay` is 0.5 by default; an experiment that gives it beside `tau` gives two values for one thing."""
    write_experiment = mine / "experiment"
    write_experiment.mkdir(parents=True, exist_ok=True)
    (write_experiment / "both.yaml").write_text(
        f"# @package _global_\ndefaults:\n  - override /neuron: lif\nneuron:\n  tau: 4\n  decay: {decay}\n"
    )
    given = load(["+experiment=both"], [mine]).neuron.params["decay"]
    assert not isinstance(given, Default)
    assert isinstance(load(["neuron=lif"]).neuron.params["decay"], Default)
