"""What cannot change the result of a command on a stored run is refused; what can is taken."""

import pytest

from snnlab.analyse.arguments import AnalyseArguments
from snnlab.config.check import SECTIONS, section, top_level_keys
from snnlab.convert.arguments import ConvertArguments
from snnlab.errors import ConfigError
from snnlab.evaluate.arguments import EvalArguments
from snnlab.export.arguments import ExportArguments

VERBS = {
    "eval": EvalArguments,
    "analyse": AnalyseArguments,
    "convert": ConvertArguments,
    "export": ExportArguments,
}
PASS = {"trainer.batch_size", "trainer.precision", "trainer.limit_test_batches", "trainer.limit_draw"}
TAKEN = {
    "eval": {"loss", "plots.format", *PASS},
    "analyse": {"loss", "surrogate", "plots.format", "trainer.batch_size"},
    "convert": {"loss", "plots.format", *PASS},
    "export": set(),
}
BY_ALL = {
    "num_steps",
    "neuron.threshold",
    "dataset",
    "model.channels",
    "norm",
    "paths.data",
    "trainer.device",
    "trainer.progress",
    "trainer.plots",
    "paths.runs",
}
TRAINING = {
    "seed",
    "augment",
    "augment.flip",
    "regulariser",
    "optimizer.lr",
    "scheduler",
    "init.run",
    "distill.teacher",
    "logger.wandb",
    *(f"trainer.{name}" for name in ("epochs", "keep", "overfit_batches", "compile", "ema")),
}


def asked(verb, tmp_path, *texts):
    more = {"what": ("energy",)} if verb == "analyse" else {}
    return VERBS[verb](run=tmp_path, overrides=texts, **more)


@pytest.mark.parametrize("verb", VERBS)
def test_what_only_a_training_depends_on_is_refused(verb, tmp_path):
    taken_by_others = set().union(*TAKEN.values()) - TAKEN[verb]
    for key in sorted(TRAINING | taken_by_others):
        for text in (f"{key}=1", f"+{key}=1", f"~{key}"):
            with pytest.raises(ConfigError, match="has no effect on a trained network") as caught:
                asked(verb, tmp_path, text).refuse_without_effect()
            assert f"{verb} takes num_steps, " in caught.value.hint
            assert caught.value.hint.count("init.run=") == (1 if key != "init.run" or "=" in text else 0)


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_result_depends_on_is_taken(verb, tmp_path):
    for key in sorted(BY_ALL | TAKEN[verb]):
        asked(verb, tmp_path, f"{key}=1").refuse_without_effect()


@pytest.mark.parametrize("text", ["trainer.epoch=3", "lernrate=1", "debug=smoke", "+experiment=quickstart"])
def test_what_is_no_key_is_left_to_the_reader_of_the_configuration(text, tmp_path):
    asked("eval", tmp_path, text).refuse_without_effect()


@pytest.mark.parametrize("verb", VERBS)
def test_every_key_that_is_taken_exists(verb, tmp_path):
    with pytest.raises(ConfigError) as caught:
        asked(verb, tmp_path, "seed=1").refuse_without_effect()
    listed = caught.value.hint.partition(" takes ")[2].partition("; ")[0].split(", ")
    for key in listed:
        name, _, rest = key.partition(".")
        assert name in top_level_keys()
        assert not rest or name not in SECTIONS or rest in section(name).keys
