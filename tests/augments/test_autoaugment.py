"""AutoAugment in the loader: the published policy, uint8 in and out, torch's seed decides."""

import pytest
import torch

from snnlab.augments import AutoAugment


def image(channels: int = 3) -> torch.Tensor:
    return torch.randint(
        0, 256, (channels, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_image_stays_an_image(channels, interpolation):
    torch.manual_seed(0)
    op = AutoAugment(interpolation=interpolation)
    results = [op(image(channels)) for _ in range(60)]
    assert all(y.shape == (channels, 32, 32) and y.dtype == torch.uint8 for y in results)
    assert sum(not torch.equal(y, image(channels)) for y in results) > 30


def test_torch_seed_decides():
    op = AutoAugment()

    def run(seed):
        torch.manual_seed(seed)
        return torch.stack([op(image()) for _ in range(10)])

    assert torch.equal(run(3), run(3))
    assert not torch.equal(run(3), run(4))


def test_it_is_the_cifar10_policy_with_grey_fill():
    policies = AutoAugment().policy.policies
    assert len(policies) == 25
    assert policies[0] == (("Invert", 0.1, None), ("Contrast", 0.2, 6))
    assert policies[1] == (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9))
    black = torch.zeros(3, 32, 32, dtype=torch.uint8)
    moved = AutoAugment(fill=77)
    moved.policy.policies = [(("TranslateX", 1.0, 9), ("TranslateX", 0.0, 9))]
    assert set(moved(black).unique().tolist()) == {0, 77}


def test_the_policy_for_imagenet_is_that_of_the_paper():
    policies = AutoAugment(policy="imagenet").policy.policies
    assert len(policies) == 25
    assert policies[0] == (("Posterize", 0.4, 8), ("Rotate", 0.6, 9))
    assert policies[18] == (("ShearX", 0.6, 5), ("Equalize", 1.0, None))
    assert AutoAugment(policy="imagenet", fill=77).policy.fill == [77.0]


def test_runs_in_the_loader():
    assert AutoAugment.in_loader


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 8, 8, dtype=torch.uint8),
        torch.zeros(4, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(3, 8, 8),
    ],
    ids=["events", "batch", "float"],
)
def test_other_input_is_refused(x):
    with pytest.raises(ValueError, match="static uint8 images"):
        AutoAugment()(x)


def test_fill_out_of_range():
    with pytest.raises(ValueError, match=r"0\.\.255"):
        AutoAugment(fill=256)
