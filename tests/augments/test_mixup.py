"""Mixup and CutMix: timm's, with classes mixed as the samples are, and losses that cannot learn from them."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from timm.data.mixup import Mixup as TimmMixup

from snnlab.augments import Mixup
from snnlab.build import build_augments, build_dataset, build_loss
from snnlab.cli import main
from snnlab.errors import ConfigError
from snnlab.runs.load import load

KINDS = {"mixup": (0.8, 0.0), "cutmix": (0.0, 1.0), "both": (0.8, 1.0)}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_an_even_batch_is_mixed_as_timm_mixes_it(kind: str, steps: int) -> None:
    x, target = torch.rand(steps, 6, 2, 8, 8), torch.tensor([0, 1, 2, 3, 0, 1])
    before = x.clone()
    for seed in range(8):
        ours, probabilities = Mixup(alpha=KINDS[kind][0], cutmix=KINDS[kind][1]).mix(x, target, 4, 0, seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 # as timm
        timm = TimmMixup(*KINDS[kind], label_smoothing=0.0, num_classes=4)
        expected, expected_BK = timm(x.transpose(0, 1).flatten(1, 2).clone(), target)
        assert torch.equal(ours, expected.view(6, steps, 2, 8, 8).transpose(0, 1))
        assert torch.equal(probabilities, expected_BK)
        assert torch.equal(x, before)


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_samples_and_classes_have_the_same_share(batch: int) -> None:
    target = torch.arange(batch)
    x = torch.eye(batch)[None, :, :, None, None].expand(2, -1, -1, 2, 2)  # channel k holds sample k's share
    mixed, target_BK = Mixup(alpha=1.0).mix(x, target, batch, 0, seed=3)
    assert torch.allclose(mixed[0, :, :, 0, 0], target_BK)
    assert torch.allclose(target_BK.sum(1), torch.ones(batch))
    assert (target_BK.max() < 1) == (batch in (2,)) or batch % 2
    assert batch % 2 == 0 or torch.equal(target_BK[batch // 2], torch.eye(batch)[batch // 2])


def test_it_ends_with_its_epoch_and_leaves_the_process_generators_alone() -> None:
    x, target = torch.rand(1, 4, 1, 4, 4), torch.tensor([0, 1, 2, 0])
    op = Mixup(until_epoch=5)
    state = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert not torch.equal(op.mix(x, target, 3, 4, seed=0)[0], x)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == state  # noqa: NPY002
    same, target_BK = op.mix(x, target, 3, 5, seed=0)
    assert torch.equal(same, x)
    assert torch.equal(target_BK, torch.eye(3)[target])


def test_a_share_of_the_batches_is_mixed() -> None:
    x, target = torch.rand(1, 4, 1, 2, 2), torch.tensor([0, 1, 2, 0])
    op = Mixup(p=0.5)
    count = sum(not torch.equal(op.mix(x, target, 3, 0, seed)[0], x) for seed in range(400))
    assert 150 < count < 250


def test_nothing_to_mix_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha and cutmix are both 0"):
        Mixup(alpha=0.0)


SOFT = [
    ["loss=sdt"],
    ["loss=tet"],
    ["loss=twd"],
    ["loss=skd"],
    ["loss=hard_distillation"],
    ["loss=twd", "loss.ensemble=correct_steps", "loss.beta=0"],
]
HARD = [["loss=tmc"], ["loss=twd", "loss.ensemble=correct_steps"]]


@pytest.mark.parametrize("loss", SOFT, ids=" ".join)
def test_losses_with_soft_targets_learn_from_mixed_samples(loss: list[str]) -> None:
    objective = build_loss(load(["+experiment=quickstart", "augment=mixup", *loss]))
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    own = objective.own_terms if hasattr(objective, "own_terms") else objective.terms
    hard = own(logits, torch.tensor([0, 1, 2]))
    soft = own(logits, torch.eye(4)[:3])
    assert {name: term.item() for name, term in soft.items()} == pytest.approx(
        {name: term.item() for name, term in hard.items()}, rel=1e-5
    )


@pytest.mark.parametrize("loss", HARD, ids=" ".join)
def test_the_others_are_one_error_before_training(loss: list[str]) -> None:
    overrides = ["+experiment=quickstart", "augment=mixup", *loss]
    with pytest.raises(
        ConfigError, match=r"augment.mixup: mixes samples and their classes, and loss '"
    ) as caught:
        build_dataset(load(overrides))
    assert "augment.mixup=null leaves it out" in caught.value.hint
    build_dataset(load([*overrides, "augment.mixup=null"]))
    build_dataset(load([*overrides, "trainer.overfit_batches=1"]))


def test_two_that_mix_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.build._mixing", lambda cfg: ["mixup", "other"])
    with pytest.raises(ConfigError, match="mixup and other mix samples"):
        build_augments(load(["+experiment=quickstart", "augment=mixup"]))


def test_the_command_line_says_it_before_it_reads_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = [f"paths.runs={tmp_path}", f"paths.data={tmp_path / 'none'}"]
    assert main(["train", "+experiment=spikformer_cifar10", "loss=tmc", *where]) == 2
    said = capsys.readouterr().err
    assert said.count("error: augment.mixup: mixes samples and their classes, and loss 'tmc'") == 1
    assert said.count("hint: ") == 1
