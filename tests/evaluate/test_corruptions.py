"""The corruptions of CIFAR-C against the definitions of its paper's script, written down here once more."""

import colorsys
import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from snnlab.evaluate.corruption_fog import height_map
from snnlab.evaluate.corruptions import KINDS, corrupted
from snnlab.evaluate.robustness import Condition, _corrupted


@pytest.fixture
def image():
    """Smooth colours with an edge, 32 x 32."""
    x, y = np.meshgrid(np.linspace(0, 1, 32), np.linspace(0, 1, 32))
    colours = np.stack([x, 0.2 + 0.6 * y, 0.5 + 0.4 * np.sin(6 * x * y)], 2)
    colours[10:20, 10:20] = 0.9, 0.1, 0.2
    return (255 * colours).astype(np.uint8)


def changed(image, kind, severity, seed=0):
    return corrupted(image, kind, severity, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_keeps_the_form_and_repeats(image, kind, channels):
    image = image[..., :channels]
    for severity in range(1, 6):
        found = changed(image, kind, severity)
        assert (found.dtype, found.shape) == (np.uint8, image.shape)
        assert np.array_equal(found, changed(image, kind, severity))
    for height, width in ((8, 8), (20, 32), (32, 18)):
        part = changed(image[:height, :width], kind, 5)
        assert part.shape == (height, width, channels)
    flat = np.full_like(image, 255)
    for severity in (1, 5):
        for extreme in (flat, 0 * flat):
            assert changed(extreme, kind, severity).dtype == np.uint8


NOT_BY_SEVERITY = ("saturate", "glass_blur", "elastic_transform", "spatter")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NOT_BY_SEVERITY])
def test_the_most_severe_changes_more_than_the_mildest(image, kind):
    """Of saturation the mildest are the greyest; of glass the third has the widest blur; the mildest elastic transform
    moves the whole image farthest; spatter is water up to the third and then mud.
    """
    mild, severe = (np.abs(changed(image, kind, one).astype(float) - image).mean() for one in (1, 5))
    assert 0 < mild < severe


@pytest.mark.parametrize("severity", range(1, 6))
def test_noises_have_their_width(severity):
    grey = np.full((200, 200, 3), 128, np.uint8)
    p = 128 / 255
    expected = {
        "gaussian_noise": (0.04, 0.06, 0.08, 0.09, 0.10)[severity - 1],
        "shot_noise": (p / (500, 250, 100, 75, 50)[severity - 1]) ** 0.5,
        "speckle_noise": p * (0.06, 0.1, 0.12, 0.16, 0.2)[severity - 1],
    }
    for kind, width in expected.items():
        assert (changed(grey, kind, severity) / 255).std() == pytest.approx(width, rel=0.04)
    hit = changed(grey, "impulse_noise", severity)
    share = (0.01, 0.02, 0.03, 0.05, 0.07)[severity - 1]
    assert (hit != 128).mean() == pytest.approx(share, rel=0.1)
    assert (hit == 255).mean() == pytest.approx(share / 2, rel=0.15)
    assert set(np.unique(hit)) == {0, 128, 255}


@pytest.mark.parametrize("severity", range(1, 6))
def test_colours_by_the_standard_library(image, severity):
    more = (0.05, 0.1, 0.15, 0.2, 0.3)[severity - 1]
    factor, offset = ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2))[severity - 1]
    image[0, :3] = [[0, 0, 0], [90, 90, 90], [255, 255, 255]]
    for kind, change in {
        "brightness": lambda h, s, v: (h, s, min(1.0, v + more)),
        "saturate": lambda h, s, v: (h, min(1.0, factor * s + offset), v),
    }.items():
        found = changed(image, kind, severity)
        for place in ((0, 0), (0, 1), (0, 2), (15, 15), (3, 30), (31, 7), (25, 3)):
            expected = 255 * np.array(colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*image[place] / 255))))
            assert np.abs(found[place] - expected).max() <= 1.0, (kind, place)


@pytest.mark.parametrize("severity", range(1, 6))
def test_contrast_pixelate_and_jpeg_by_their_definitions(image, severity):
    factor = (0.75, 0.5, 0.4, 0.3, 0.15)[severity - 1]
    mean = image.mean((0, 1))
    expected = (image - mean) * factor + mean
    assert np.abs(changed(image, "contrast", severity) - expected).max() <= 1.0
    side = int(32 * (0.95, 0.9, 0.85, 0.75, 0.65)[severity - 1])
    box = Image.Resampling.BOX
    pixels = np.asarray(Image.fromarray(image).resize((side, side), box).resize((32, 32), box))
    assert np.array_equal(changed(image, "pixelate", severity), pixels)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=(80, 65, 58, 50, 40)[severity - 1])
    assert np.array_equal(changed(image, "jpeg_compression", severity), np.asarray(Image.open(file)))


@pytest.mark.parametrize("severity", range(1, 6))
def test_a_point_under_each_blur(severity):
    """The point's light is kept, and spread as the kernel says."""
    point = np.zeros((33, 33, 3), np.uint8)
    point[16, 16] = 255
    gauss = changed(point, "gaussian_blur", severity)[..., 0]
    alone = np.zeros((33, 33))
    alone[16, 16] = 255
    assert np.abs(gauss - gaussian_filter(alone, (0.4, 0.6, 0.7, 0.8, 1.0)[severity - 1])).max() <= 1.0
    disk = changed(point, "defocus_blur", severity)[..., 0].astype(float)
    assert disk.sum() == pytest.approx(255, abs=30)
    assert np.array_equal(disk, disk[::-1])
    assert np.array_equal(disk, disk.T)
    motion = changed(point, "motion_blur", severity, seed=3)[..., 0].astype(float)
    assert motion.sum() == pytest.approx(255, abs=12)
    assert motion[16, 16] == motion.max()
    # One side only: the light goes to where the window looks back from.
    assert motion[:, 17:].sum() == 0
    assert motion[:, :16].sum() > 0
    zoom = changed(point, "zoom_blur", severity)[..., 0].astype(float)
    assert zoom[16, 16] == zoom.max() > 60


def test_glass_takes_values_of_neighbours_only(image):
    """Without blur every value is one of a neighbour above or to the left, as in the published images."""
    numbered = np.arange(32 * 32).reshape(32, 32)
    x = np.stack([numbered // 256 * 60, numbered % 256, np.zeros_like(numbered)], 2).astype(np.uint8)
    found = changed(x, "glass_blur", 1).astype(int)
    number = np.rint(found[..., 0] / 60).astype(int) * 256 + found[..., 1]
    shift = numbered - number
    assert set(np.unique(shift)) == {0, 1, 32, 33}
    assert (shift[:2] == 0).all()
    assert (shift[:, :2] == 0).all()


def test_fog_is_a_map_from_zero_to_one_that_goes_on_beyond_its_edge():
    for side in (2, 8, 32):
        found = height_map(side, 2.0, np.random.default_rng(0))
        assert found.shape == (side, side)
        assert (found.min(), found.max()) == (0.0, 1.0)
    rough, smooth = (height_map(64, decay, np.random.default_rng(0)) for decay in (1.2, 3.0))
    assert np.abs(np.diff(smooth, axis=0)).mean() < np.abs(np.diff(rough, axis=0)).mean()
    black = np.zeros((32, 32, 3), np.uint8)
    assert np.array_equal(changed(black, "fog", 5), black)


def test_snow_falls_on_a_paler_image(image):
    """Flakes only add light: no pixel is darker than the paler image, and black shows the flakes alone."""
    black = np.zeros((64, 64, 3), np.uint8)
    for severity, keep in enumerate((0.95, 0.9, 0.9, 0.85, 0.8), start=1):
        x = image / 255
        grey = (x @ [0.299, 0.587, 0.114])[..., None]
        pale = keep * x + (1 - keep) * np.maximum(x, 1.5 * grey + 0.5)
        found = changed(image, "snow", severity)
        assert (found >= np.floor(255 * pale.clip(0, 1)) - 1).all()
        assert (found > 255 * pale + 1).any()
        flakes = changed(black, "snow", severity).astype(int) - int(255 * (1 - keep) * 0.5)
        # The same flakes turned around.
        assert np.abs(flakes - flakes[::-1, ::-1]).max() <= 1
        assert 0.03 < (flakes > 2).mean() < 1


def test_spatter_is_water_and_then_mud():
    grey, mud = np.full((64, 64, 3), 128, np.uint8), np.array([63, 42, 20])
    for severity in range(1, 6):
        found = changed(grey, "spatter", severity).astype(int)
        hit = (found != 128).any(2)
        assert 0.005 < hit.mean() < 0.7
        if severity <= 3:
            assert (found >= 128).all()
            red, green, blue = found[hit].T
            assert (red <= green).all()
            assert (green == blue).all()
            assert found.max() - 128 >= 100 * 0.5
        else:
            share = (128 - found[hit]) / (128 - mud)
            assert share.mean(1).min() >= 0.79
            assert np.ptp(share, axis=1).max() < 0.03
    assert np.array_equal(
        changed(grey[..., :1], "spatter", 1)[..., 0] != 128, (changed(grey, "spatter", 1) != 128).any(2)
    )


def test_an_elastic_transform_moves_the_image():
    """The mildest is affine, the most severe is not; the image moves at most as far as said."""
    x, y = np.meshgrid(np.arange(64.0), np.arange(64.0))
    plane = np.stack([2 * x + 60, 2 * y + 60, x + y + 60], 2).astype(np.uint8)
    places = np.stack([x, y, np.ones_like(x)], 2)[16:48, 16:48].reshape(-1, 3)
    off = []
    for severity in (1, 5):
        moved = changed(plane, "elastic_transform", severity)[16:48, 16:48, :2].reshape(-1, 2) / 2.0
        off.append((moved - places @ np.linalg.lstsq(places, moved, rcond=None)[0]).std())
    # Of an affine map only what rounding to bytes leaves, in pixels.
    assert off[0] < 0.2 < 0.35 < off[1]
    for severity, corner in enumerate((0.08, 0.07, 0.06, 0.05, 0.03), start=1):
        shift = (changed(plane, "elastic_transform", severity).astype(float) - plane)[21:43, 21:43] / 2
        # Within the points that are moved a place goes at most four times as far, and a bit by the noise.
        assert 0 < np.abs(shift[..., :2]).max() < 4 * corner * 64 + 0.1 * 64
    black = np.zeros((32, 32, 3), np.uint8)
    assert np.array_equal(changed(black, "elastic_transform", 3), black)


def test_artificial_frost_is_the_share_of_an_image_and_the_white_of_ice():
    for severity, (of_image, of_frost) in enumerate(
        ((1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)), start=1
    ):
        grey = np.full((64, 64, 3), 100, np.uint8)
        frost = (changed(grey, "artificial_frost", severity) - 100 * of_image) / 255 / of_frost
        assert frost.min() >= -0.01
        assert frost.max() <= 1
        assert (frost[..., 0] <= frost[..., 2] + 0.02).all()
        assert frost.std() > 0.1


def test_a_sample_is_changed_alike_in_any_batch():
    samples = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8))
    target = torch.arange(6)
    for kind in KINDS:
        one_by_one, at_once, other = (
            torch.cat([raw for raw, _ in _corrupted(batches, Condition(kind, 3.0), seed)])
            for batches, seed in (
                (iter(zip(samples.split(1), target.split(1), strict=True)), 0),
                (iter([(samples[:4], target[:4]), (samples[4:], target[4:])]), 0),
                (iter([(samples, target)]), 1),
            )
        )
        assert torch.equal(one_by_one, at_once), kind
        assert one_by_one.shape == samples.shape
        if kind in ("snow", "spatter", "elastic_transform", "artificial_frost", "fog", "gaussian_noise"):
            assert not torch.equal(one_by_one, other), kind
