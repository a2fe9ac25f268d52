"""A run starts from the weights of another: an ANN with relu becomes one with quant_relu."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from snnlab.errors import ConfigError
from snnlab.runs import checkpoint
from snnlab.runs.identity import run_dir
from snnlab.runs.load import load
from snnlab.train import recipe
from tests.models.released_states import spikingformer

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


def test_layers_that_the_weights_lack_start_fresh_where_they_are_named(ann: Path, tmp_path: Path) -> None:
    deeper = ("neuron=relu", "model.blocks=[2]", f"init.run={ann}", "optimizer.lr=1e-30", "trainer.epochs=1")
    end = weights(trained(config(tmp_path, *deeper, "init.fresh=[stages.0.1]")))
    torch.testing.assert_close(end["head.weight"], weights(ann)["head.weight"])
    assert any(key.startswith("stages.0.1.") for key in end)
    cfg = config(tmp_path, *deeper, "init.fresh=[stages.0.1,heads]")
    with pytest.raises(ConfigError, match=r"init\.fresh: the network has no layer 'heads'"):
        recipe.run(cfg)


def released(file: Path, content: object) -> Path:
    torch.save(content, file)
    return file


def transformer(tmp_path: Path, file: Path, *overrides: str):
    small = ("model=spikingformer", "model.depth=2", "model.dim=32", "model.heads=4", "trainer.epochs=1")
    others = [one for one in SMALL if not one.startswith(("model", "trainer.epochs"))]
    frozen = ("optimizer=sgd", "optimizer.lr=1e-30", f"init.file={file}")
    paths = (f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'none'}")
    return load([*small, *others, *frozen, *overrides, *paths])


def zeros(state):
    return {key: torch.zeros_like(value) for key, value in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"model": s, "args": Namespace(lr=0.1), "epoch": 3},
        lambda s: {"net": s, "optimizer": {"state": {}}, "epoch": 3},
        lambda s: {"state_dict": {f"module.{key}": value for key, value in s.items()}, "arch": "x"},
        lambda s: {"state_dict_ema": zeros(s), "state_dict": s, "amp_scaler": {"scale": 1.0}},
        lambda s: {"model_ema": s, "epoch": 3},
        lambda s: {"state_dict_ema": s, "epoch": 3},
    ],
)
def test_a_run_starts_from_a_released_checkpoint(tmp_path: Path, wrap) -> None:
    state = {key: value.float() for key, value in spikingformer(c_in=2, classes=10).items()}
    cfg = transformer(tmp_path, released(tmp_path / "released.pth", wrap(state)))
    assert cfg.init.identity.startswith("file ")
    end = weights(trained(cfg))
    torch.testing.assert_close(end["head.weight"], state["head.weight"])
    torch.testing.assert_close(
        end["blocks.1.mlp.4.0.weight"], state["block.1.mlp.mlp2_conv.weight"].squeeze(-1)
    )


def test_a_released_checkpoint_decides_the_run_and_its_place_does_not(tmp_path: Path) -> None:
    first = released(tmp_path / "first.pth", {"x": torch.ones(1)})
    again = released(tmp_path / "again.pth", {"x": torch.zeros(1)})
    (tmp_path / "link.pth").symlink_to(first)
    named = [run_dir(transformer(tmp_path, file)) for file in (first, tmp_path / "link.pth", again)]
    assert named[0] == named[1] != named[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"head.weight": torch.ones(2)},
            r"does not fit: patch_embed.block0_conv.weight is not there \(and \d+ more\)",
        ),
        ({"epoch": 3}, "holds no tensors by name"),
        ({}, "holds no tensors by name"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, content: object, said: str) -> None:
    cfg = transformer(tmp_path, released(tmp_path / "released.pth", content))
    with pytest.raises(ConfigError, match=f"init.file: .*{said}"):
        recipe.run(cfg)
    assert not run_dir(cfg).exists()


def test_a_damaged_or_missing_file_and_two_sources_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with pytest.raises(ConfigError, match="is damaged, or no safetensors file"):
        recipe.run(transformer(tmp_path, broken))
    with pytest.raises(ConfigError, match=r"init.file: no such file"):
        transformer(tmp_path, tmp_path / "nowhere.pth")
    with pytest.raises(ConfigError, match="two sources of weights"):
        transformer(tmp_path, broken, f"init.run={tmp_path}")


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^init.run: .*nowhere"):
        config(tmp_path, f"init.run={tmp_path / 'nowhere'}")
