"""A run starts from the weights of another: an ANN with relu becomes one with quant_relu."""

import json
from pathlib import Path

import pytest
import torch

from snnlab.errors import ConfigError
from snnlab.runs import checkpoint
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.train import recipe

SMALL = (
    "dataset=digits_dvs",
    "model=resnet20_snn",
    "model.blocks=[1]",
    "model.width=4",
    "loss=sdt",
    "num_steps=2",
    "input=mean",
    "trainer.synthetic=true",
    "trainer.epochs=2",
    "trainer.limit_train_batches=2",
    "trainer.limit_test_batches=2",
    "trainer.batch_size=4",
    "trainer.device=cpu",
    "trainer.progress=none",
    "trainer.plots=false",
)


def config(tmp_path, *overrides):
    return load([*SMALL, *overrides, f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'none'}"])


def trained(cfg):
    assert recipe.run(cfg) == recipe.DONE
    return run_dir(cfg)


def weights(folder, which="last"):
    return checkpoint.weights_of(checkpoint.load(folder / "checkpoints" / f"{which}.pt"))


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    return trained(config(tmp_path_factory.mktemp("ann"), "neuron=relu"))


def test_quantised_training_starts_from_the_weights_of_the_ann(ann: Path, tmp_path: Path) -> None:
    frozen = ("optimizer=sgd", "optimizer.lr=1e-30", "optimizer.lr_t=0.5", "optimizer.weight_decay_t=1.0")
    cfg = config(tmp_path, "neuron=quant_relu", f"init.run={ann}", *frozen, "norm.momentum=0.0")
    start, end = weights(ann), weights(trained(cfg))
    assert set(end) - set(start) == {key for key in end if key.endswith((".t", ".gamma"))}
    for key, value in start.items():
        if not key.endswith("num_batches_tracked"):
            torch.testing.assert_close(end[key], value)
    # It is logged after each epoch how many steps each layer would run for, and decay shortens them.
    rows = [json.loads(line) for line in (run_dir(cfg) / "metrics.jsonl").read_text().splitlines()]
    tested = [row for row in rows if row["split"] == "test"]
    layers = [key for key in tested[0] if key.startswith("test/time_steps/")]
    assert len(tested) == 2
    assert len(layers) == 3
    assert all(row["test/time_steps"] == sum(row[key] for key in layers) / 3 for row in tested)
    assert tested[1]["test/time_steps"] < 8


def test_a_run_is_named_after_the_weights_and_not_their_place(ann: Path, tmp_path: Path) -> None:
    fresh = config(tmp_path, "neuron=quant_relu")
    cfg = config(tmp_path, "neuron=quant_relu", f"init.run={ann}")
    assert cfg.init.identity.startswith("run ")
    assert run_dir(cfg) != run_dir(fresh)
    moved = tmp_path / "moved"
    moved.symlink_to(ann)
    assert run_dir(config(tmp_path, "neuron=quant_relu", f"init.run={moved}")) == run_dir(cfg)
    best = config(tmp_path, "neuron=quant_relu", f"init.run={ann}", "init.checkpoint=best")
    assert best.init.checkpoint == "best"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.width=8", r"stem.0.0.weight is 4 x 2 x 3 x 3 there and 8 x 2 x 3 x 3 here \(and \d+ more\)"),
        ("model.blocks=[2]", r"stages.0.1.body.0.0.weight is not there"),
        ("norm=tdbn", r""),
    ],
)
def test_weights_that_do_not_fit_are_refused(ann: Path, tmp_path: Path, override: str, message: str) -> None:
    cfg = config(tmp_path, "neuron=quant_relu", f"init.run={ann}", override)
    if not message:
        recipe.run(cfg)  # tdBN holds the same numbers
        return
    with pytest.raises(ConfigError, match=message):
        recipe.run(cfg)
    assert not run_dir(cfg).exists()


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^init.run: .*nowhere"):
        config(tmp_path, f"init.run={tmp_path / 'nowhere'}")
