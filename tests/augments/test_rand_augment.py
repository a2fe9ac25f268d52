"""RandAugment: timm's own, with the lists and colours of the published recipes."""

import random

import numpy as np
import pytest
import torch
from timm.data.auto_augment import rand_augment_transform
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from snnlab.augments import RandAugment

FIVE = ["Equalize", "Rotate", "ShearX", "TranslateXRel", "TranslateYRel"]


def picture(channels: int = 3) -> torch.Tensor:
    return torch.randint(
        0, 256, (channels, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize(
    ("keys", "words", "names"),
    [
        ({}, "rand-m9-mstd0.5-inc1", None),
        ({"operations": 1, "spread": 0.4, "choices": "spikformer"}, "rand-m9-n1-mstd0.4-inc1", FIVE),
    ],
    ids=["imagenet", "spikformer_cifar10"],
)
def test_images_are_those_of_timm_with_the_published_words(keys, words, names) -> None:
    hparams = {"img_mean": (124, 116, 104), "interpolation": 3}
    timm = rand_augment_transform(words, hparams, names)
    op = RandAugment(**keys)
    changed = 0
    for seed in range(30):
        torch.manual_seed(seed)
        ours = op(picture())
        torch.manual_seed(seed)
        drawn = int(torch.randint(2**63 - 1, ()))
        random.seed(drawn)
        np.random.seed(drawn % 2**32)  # noqa: NPY002 # as timm
        assert torch.equal(ours, pil_to_tensor(timm(to_pil_image(picture()))))
        changed += not torch.equal(ours, picture())
    assert InterpolationMode.BICUBIC.value == "bicubic"
    assert 5 < changed < 30


def test_the_list_of_spikformer_has_no_operation_on_colours() -> None:
    op = RandAugment(choices="spikformer", operations=1)
    assert [one.name for one in op._by_channels[3].ops] == FIVE
    assert len(RandAugment()._by_channels[3].ops) == 15


@pytest.mark.parametrize("channels", [1, 3])
def test_it_follows_torchs_generator_and_no_other(channels: int) -> None:
    op, before = RandAugment(operations=4), (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    torch.manual_seed(5)
    first = [op(picture(channels)) for _ in range(6)]
    random.seed(99)
    random.setstate(before[0])
    torch.manual_seed(5)
    assert all(torch.equal(op(picture(channels)), one) for one in first)
    assert any(not torch.equal(one, first[0]) for one in first)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
    assert first[0].shape == (channels, 32, 32)
    assert first[0].dtype == torch.uint8


@pytest.mark.parametrize("keys", [{"magnitude": 11}, {"fill": (1, 2)}, {"fill": (0, 0, 256)}])
def test_bad_keys_are_refused(keys) -> None:
    with pytest.raises(ValueError, match="rand_augment: "):
        RandAugment(**keys)


@pytest.mark.parametrize(
    "x", [torch.rand(3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.uint8), torch.zeros(8, 8)]
)
def test_what_is_no_stored_picture_is_refused(x) -> None:
    with pytest.raises(ValueError, match="rand_augment works on static uint8 images"):
        RandAugment()(x)
