"""Snow and frost among CIFAR-C's corruptions, with its constants for images of 32 x 32 pixels.

Frost is laid over an image as published, but it is made of noise: the published images take photographs of frost.

Shapes: H height, W width, C channels.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snnlab.evaluate.corruption_blurs import enlarged, moved
from snnlab.evaluate.corruption_fog import height_map

Image = NDArray[np.float64]
Weather = Callable[[Image, np.random.Generator], Image]
LUMA = np.array([0.299, 0.587, 0.114])
ICE = np.array([0.82, 0.92, 1.0])


def snow(severity: int) -> Weather:
    """Flakes of noise above a threshold, blurred as they fall, and once more turned around; over a paler image."""
    mean, width, zoom, least, radius, sigma, keep = (
        (0.1, 0.2, 1.0, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1.0, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    )[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        flakes_HW1 = enlarged(mean + width * rng.standard_normal((*x.shape[:2], 1)), zoom)
        flakes_HW1 = np.where(flakes_HW1 < least, 0.0, flakes_HW1).clip(0, 1)
        flakes_HW1 = moved(flakes_HW1, radius, sigma, rng.uniform(-135, -45))
        pale = np.maximum(x, 1.5 * _grey(x) + 0.5)
        changed: Image = keep * x + (1 - keep) * pale + flakes_HW1 + flakes_HW1[::-1, ::-1]
        return changed

    return apply


def artificial_frost(severity: int) -> Weather:
    """Ridges of a fractal map, in the white of ice, with the published shares of image and frost."""
    of_image, of_frost = ((1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45))[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        side = 1 << (max(x.shape[:2]) - 1).bit_length()
        # Crystals are the lines along which two maps have the same height.
        maps = [height_map(side, 1.7, rng)[: x.shape[0], : x.shape[1]] for _ in range(2)]
        crystals_HW = np.exp(-6.0 * np.abs(maps[0] - maps[1])) * (0.6 + 0.4 * maps[0])
        colour = ICE if x.shape[2] == 3 else np.array([LUMA @ ICE])
        changed: Image = of_image * x + of_frost * crystals_HW[..., None] * colour
        return changed

    return apply


def _grey(x: Image) -> Image:
    """Brightness as eyes see it, [H, W, 1]."""
    grey: Image = (x @ LUMA)[..., None] if x.shape[2] == 3 else x
    return grey
