"""Corruptions of still images as in CIFAR-C (Hendrycks and Dietterich, ICLR 2019), with its severities.

The severities are for 32 x 32 pixels. Definitions and constants are published; the random numbers are our own, so
images differ from the published ones in them. All are here but frost, which is laid over an image as a photograph:
`artificial_frost` stands for it, of noise. Shapes: H height, W width, C channels (1 or 3).
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from snnlab.evaluate.corruption_blurs import (
    defocus_blur,
    gaussian_blur,
    glass_blur,
    motion_blur,
    zoom_blur,
)
from snnlab.evaluate.corruption_fog import fog
from snnlab.evaluate.corruption_liquids import elastic_transform, spatter
from snnlab.evaluate.corruption_weather import artificial_frost, snow

Image = NDArray[np.float64]
Corruption = Callable[[Image, np.random.Generator], Image]


def corrupted(
    image_HWC: NDArray[np.uint8], kind: str, severity: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """One image, as bytes like the published ones.

    Args:
        image_HWC: stored image.
        kind: a name in `KINDS`.
        severity: 1 to 5.
        rng: at equal state, a higher severity of the same noise scales it.
    """
    changed = KINDS[kind](severity)(image_HWC / 255.0, rng)
    # Truncated, as in the published script; what is whole but for rounding stays so.
    return (255.0 * changed.clip(0, 1) + 1e-6).astype(np.uint8)


def _gaussian_noise(severity: int) -> Corruption:
    width = (0.04, 0.06, 0.08, 0.09, 0.10)[severity - 1]
    return lambda x, rng: x + width * rng.standard_normal(x.shape)


def _shot_noise(severity: int) -> Corruption:
    photons = (500, 250, 100, 75, 50)[severity - 1]
    return lambda x, rng: rng.poisson(x * photons) / photons


def _impulse_noise(severity: int) -> Corruption:
    share = (0.01, 0.02, 0.03, 0.05, 0.07)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        hit, salt = rng.random(x.shape) < share, rng.random(x.shape) < 0.5
        return np.where(hit, salt.astype(float), x)

    return apply


def _speckle_noise(severity: int) -> Corruption:
    width = (0.06, 0.1, 0.12, 0.16, 0.2)[severity - 1]
    return lambda x, rng: x + x * width * rng.standard_normal(x.shape)


def _brightness(severity: int) -> Corruption:
    """Adds to the value of HSV, hue and saturation stay."""
    more = (0.05, 0.1, 0.15, 0.2, 0.3)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        value = x.max(2, keepdims=True)
        target = (value + more).clip(max=1)
        changed: Image = np.where(value > 0, x / np.where(value > 0, value, 1) * target, target)
        return changed

    return apply


def _saturate(severity: int) -> Corruption:
    """Multiplies the saturation of HSV and adds to it; grey pixels have hue 0, which is red. A grey image stays."""
    factor, more = ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2))[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        if x.shape[2] == 1:
            return x
        value = x.max(2, keepdims=True)
        depth = value - x.min(2, keepdims=True)
        saturation = depth / np.where(value > 0, value, 1)
        target = (factor * saturation + more).clip(0, 1)
        # How far each channel is below the largest, from 0 to 1: the hue.
        below = np.where(depth > 0, (value - x) / np.where(depth > 0, depth, 1), np.array([0.0, 1.0, 1.0]))
        changed: Image = value * (1 - target * below)
        return changed

    return apply


def _contrast(severity: int) -> Corruption:
    factor = (0.75, 0.5, 0.4, 0.3, 0.15)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        mean = x.mean((0, 1), keepdims=True)
        changed: Image = (x - mean) * factor + mean
        return changed

    return apply


def _pixelate(severity: int) -> Corruption:
    factor = (0.95, 0.9, 0.85, 0.75, 0.65)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        from PIL import Image as Pillow

        height, width = x.shape[:2]
        small = (max(1, int(width * factor)), max(1, int(height * factor)))
        picture = _picture(x).resize(small, Pillow.Resampling.BOX)
        return _pixels(picture.resize((width, height), Pillow.Resampling.BOX), x)

    return apply


def _jpeg_compression(severity: int) -> Corruption:
    quality = (80, 65, 58, 50, 40)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        from PIL import Image as Pillow

        file = io.BytesIO()
        _picture(x).save(file, "JPEG", quality=quality)
        return _pixels(Pillow.open(file), x)

    return apply


def _picture(x: Image):  # type: ignore[no-untyped-def]  # Pillow is imported where it is needed
    from PIL import Image as Pillow

    bytes_HWC = (255.0 * x + 0.5).astype(np.uint8)
    return Pillow.fromarray(bytes_HWC[..., 0] if x.shape[2] == 1 else bytes_HWC)


def _pixels(picture: object, like: Image) -> Image:
    return np.asarray(picture, np.float64).reshape(like.shape) / 255.0


KINDS: Mapping[str, Callable[[int], Corruption]] = {
    "gaussian_noise": _gaussian_noise,
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "speckle_noise": _speckle_noise,
    "gaussian_blur": gaussian_blur,
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "fog": fog,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturate": _saturate,
    "pixelate": _pixelate,
    "jpeg_compression": _jpeg_compression,
    # The place of a kind seeds its random numbers, so new ones come last.
    "snow": snow,
    "spatter": spatter,
    "elastic_transform": elastic_transform,
    "artificial_frost": artificial_frost,
}
"""Each takes a severity and returns the change of an image with values from 0 to 1."""
