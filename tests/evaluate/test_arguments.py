"""What can be asked of `snnlab eval`, and what is answered to a slip."""

import pytest

from snnlab.config.measurements import EarlyExitConfig, NoiseConfig
from snnlab.errors import ConfigError
from snnlab.evaluate.arguments import read_eval_arguments


def test_the_parts_of_a_command_line(tmp_path):
    assert read_eval_arguments(["run=x", "weights=average"]).weights == "average"
    asked = read_eval_arguments([f"run={tmp_path}", "trainer.device=cpu", "num_steps=8"])
    assert asked.weights == "model"
    assert (asked.run, asked.checkpoint, asked.num_steps, asked.early_exit) == (tmp_path, "last", (), None)
    assert asked.overrides == ("trainer.device=cpu", "num_steps=8")


def test_a_folder_with_one_run_stands_for_it(tmp_path):
    run = tmp_path / "runs/quickstart/a-1/seed0"
    for made in (run, tmp_path / "runs/other/a-1/seed0", tmp_path / "runs/other/a-1/seed1"):
        made.mkdir(parents=True)
        (made / "config.yaml").touch()
    for folder in (run, run.parent, run.parent.parent):
        assert read_eval_arguments([f"run={folder}"]).run == run
        assert read_eval_arguments([str(folder), "num_steps=3"]).run == run
    with pytest.raises(ConfigError, match="other holds 2 runs") as caught:
        read_eval_arguments([f"run={tmp_path / 'runs/other'}"])
    assert f"{tmp_path / 'runs/other/a-1/seed1'}" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "steps"),
    [("1..4", (1, 2, 3, 4)), ("3..3", (3,)), ("[4,1, 2]", (1, 2, 4)), ("[5]", (5,)), ("[2,2]", (2,))],
)
def test_several_numbers_of_steps(text, steps):
    asked = read_eval_arguments(["run=x", f"num_steps={text}", "checkpoint=best"])
    assert (asked.num_steps, asked.checkpoint, asked.overrides) == (steps, "best", ())


def test_early_exit_is_checked_like_any_section():
    given = ["run=x", "early_exit.threshold=[0.5,1]", "early_exit.logits=mean", "+early_exit.streaming=true"]
    expected = EarlyExitConfig(threshold=(0.5, 1.0), logits="mean", streaming=True)
    assert read_eval_arguments(given).early_exit == expected
    assert read_eval_arguments(["run=x", "early_exit.logits=sum"]).early_exit == EarlyExitConfig()


def test_noise_is_chosen_by_its_kind():
    given = ["run=x", "noise=salt_pepper", "noise.level=[0,0.1]", "noise.seed=3", "trainer.device=cpu"]
    asked = read_eval_arguments(given)
    assert asked.noise == NoiseConfig(kind="salt_pepper", level=(0.0, 0.1), seed=3)
    assert asked.overrides == ("trainer.device=cpu",)
    assert read_eval_arguments(["run=x"]).noise is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "eval: no run is given"),
        (["checkpoint=first"], "checkpoint: unknown choice 'first'"),
        (["weights=ema"], "weights: unknown choice 'ema'"),
        (["num_steps=0..3"], "num_steps: expected integers > 0, got '0..3'"),
        (["num_steps=4..1"], "num_steps: expected integers > 0, got '4..1'"),
        (["num_steps=[1,a]"], "num_steps: expected integers > 0, got '[1,a]'"),
        (["num_steps=1..4", "early_exit.threshold=[0.5]"], "num_steps: early exit takes one number"),
        (["early_exit.thresold=[0.5]"], "early_exit.thresold: unknown key. Did you mean 'threshold'?"),
        (["early_exit.threshold=[1.5]"], "early_exit.threshold: element 1: 1.5 is out of range"),
        (["early_exit.threshold=[]"], "early_exit.threshold: no threshold is given"),
        (["early_exit.threshold=0.5,0.6"], "early_exit.threshold: several values without brackets"),
        (["early_exit.logits=max"], "early_exit.logits: unknown choice 'max'"),
        (["noise=gausian"], "noise.kind: unknown choice 'gausian'. Did you mean 'gaussian'?"),
        (["noise=uniform", "noise.levle=[0.1]"], "noise.levle: unknown key. Did you mean 'level'?"),
        (["noise=uniform", "noise.level=[2]"], "noise.level: element 1: 2 is out of range"),
        (["noise=uniform", "noise.level=0.1,0.2"], "noise.level: several values without brackets"),
        (["noise=uniform,gaussian"], "noise.kind: several values without brackets"),
        (["noise=uniform", "num_steps=1..4"], "noise: takes one number of time steps"),
        (["speed=true", "noise=uniform", "noise.level=[0.1]"], "speed: measured by itself"),
        (["speed=true", "num_steps=1..4"], "speed: measured by itself"),
        (["early_exit=0.5"], "cannot read the override 'early_exit=0.5'"),
        (["early_exit.threshold=[0.5"], "cannot read the override 'early_exit.threshold=[0.5'"),
    ],
)
def test_slips(given, message):
    with pytest.raises(ConfigError) as caught:
        read_eval_arguments([*(["run=x"] if given else []), *given])
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rnu=DIR", "eval: unknown key 'rnu'. Did you mean 'run'?"),
        ("seed=1", "eval: no run is given"),
    ],
)
def test_a_missing_run_may_be_a_mistyped_one(given, message):
    with pytest.raises(ConfigError) as caught:
        read_eval_arguments([given])
    assert caught.value.message == message
