"""A setting that only a training depends on is refused where a trained network is measured."""

import pytest

from snnlab.errors import ConfigError
from snnlab.evaluate.arguments import EvalArguments


@pytest.mark.parametrize(
    "text", ["trainer.epochs=3", "optimizer.lr=1", "scheduler=cosine", "~augment.flip", "augment=none"]
)
def test_refused(text, tmp_path):
    with pytest.raises(ConfigError, match="has no effect on a trained network"):
        EvalArguments(run=tmp_path, overrides=(text,)).refuse_settings_of_training()


@pytest.mark.parametrize(
    "text", ["trainer.device=cpu", "trainer.batch_size=8", "neuron.threshold=2", "seed=1", "loss=sdt"]
)
def test_taken(text, tmp_path):
    EvalArguments(run=tmp_path, overrides=(text,)).refuse_settings_of_training()
