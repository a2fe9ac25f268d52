"""Random erasing against timm's, and Spikformer's operations on recordings against torchvision's."""

import math

import pytest
import torch
from timm.data.random_erasing import RandomErasing as TimmErasing
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from snnlab.augments import RandomErasing, SNNAugmentWide

MANY = 3000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sizes(erased_NHW: torch.Tensor) -> torch.Tensor:
    """Height and width of each sample's rectangle, [n, 2], of the samples that have one; they are full."""
    rows, columns = erased_NHW.any(2).sum(1), erased_NHW.any(1).sum(1)
    assert torch.equal(rows * columns, erased_NHW.sum((1, 2)))
    return torch.stack([rows, columns], 1)[rows > 0].float()


@pytest.mark.parametrize("shape", [(32, 32), (12, 40)])
def test_rectangles_are_distributed_as_timms(shape: tuple[int, int]) -> None:
    ours = RandomErasing()(torch.ones(MANY, 1, 1, *shape), generator())[:, 0, 0] == 0
    timm = TimmErasing(0.25, device="cpu")(torch.ones(MANY, 1, *shape))[:, 0] == 0
    a, b = sizes(ours), sizes(timm)
    assert len(a) / MANY == pytest.approx(0.25, abs=0.04)
    for measure in (
        lambda s: s.prod(1).mean(),
        lambda s: s.log().diff(dim=1).mean(),
        lambda s: s.std(0).mean(),
    ):
        assert float(measure(a)) == pytest.approx(float(measure(b)), rel=0.12, abs=0.15)
    assert torch.allclose(ours.float().mean(0), timm.float().mean(0), atol=0.03)


def test_pixel_mode_fills_with_noise_and_every_frame_has_the_same_hole() -> None:
    x = torch.full((200, 3, 2, 16, 16), 7.0)
    y = RandomErasing(p=1.0, mode="pixel")(x, generator())
    changed = y != 7
    assert torch.equal(changed, changed[:, :1, :1].expand_as(changed))
    noise = y[:, 0][changed[:, 0]]
    assert float(noise.mean()) == pytest.approx(0, abs=0.05)
    assert float(noise.std()) == pytest.approx(1, abs=0.05)


def affine(
    x: torch.Tensor, angle: float = 0.0, shift: tuple[int, int] = (0, 0), shear: float = 0.0
) -> torch.Tensor:
    if angle:
        return TF.rotate(x, angle, interpolation=InterpolationMode.NEAREST)
    return TF.affine(x, 0.0, list(shift), 1.0, [math.degrees(shear), 0.0], InterpolationMode.NEAREST)


def test_every_recording_is_one_of_spikformers_results() -> None:
    x = torch.rand(2, 2, 20, 20, generator=generator()) + 0.1
    possible = {"identity": [x]}
    strengths = torch.linspace(-1, 1, 31, dtype=torch.float64).tolist()
    possible["shear"] = [affine(x, shear=0.3 * s) for s in strengths]
    possible["rotate"] = [affine(x, angle=30 * s) for s in strengths if s]
    shifts = range(-5, 6)
    possible["x"] = [affine(x, shift=(d, 0)) for d in shifts]
    possible["y"] = [affine(x, shift=(0, d)) for d in shifts]
    found = dict.fromkeys([*possible, "cutout"], 0)
    for y in SNNAugmentWide()(x.expand(400, 2, 2, 20, 20), generator(1)):
        kinds = [
            kind for kind, results in possible.items() if any((y != r).float().mean() < 0.02 for r in results)
        ]
        if not kinds:
            (height, width), *_ = sizes((y == 0).all(0).all(0)[None])
            assert height == width
            assert 1 <= height <= round(math.sqrt(0.11 * 400))
            assert torch.equal(y.where(y != 0, x), x)
        found[kinds[0] if kinds else "cutout"] += 1
    # The identity also results from strengths of 0, and from small translations.
    assert all(count >= 30 for count in found.values()), found


def test_bad_areas_are_refused() -> None:
    for op in (RandomErasing, SNNAugmentWide):
        with pytest.raises(ValueError, match="min_area must be at most max_area"):
            op(min_area=0.5, max_area=0.1)
