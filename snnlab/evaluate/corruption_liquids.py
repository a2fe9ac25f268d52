"""Spatter and elastic transform among CIFAR-C's corruptions, with its constants for images of 32 x 32 pixels.

Shapes: H height, W width, C channels.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]
Liquid = Callable[[Image, np.random.Generator], Image]
LUMA = np.array([0.299, 0.587, 0.114])
WATER, MUD = np.array([175, 238, 238]) / 255, np.array([63, 42, 20]) / 255
RELIEF = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
FARTHEST = 20
MUD_IS_SEEN = 0.8


def spatter(severity: int) -> Liquid:
    """Drops where smooth noise is above a threshold: of water up to severity 3, of mud above."""
    mean, width, smooth, least, strength = (
        (0.62, 0.1, 0.7, 0.7, 0.5),
        (0.65, 0.1, 0.8, 0.7, 0.5),
        (0.65, 0.3, 1.0, 0.69, 0.5),
        (0.65, 0.1, 0.7, 0.69, 0.6),
        (0.65, 0.1, 0.5, 0.68, 0.6),
    )[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        liquid_HW = ndimage.gaussian_filter(
            mean + width * rng.standard_normal(x.shape[:2]), smooth, mode="nearest"
        )
        liquid_HW = np.where(liquid_HW < least, 0.0, liquid_HW)
        if severity <= 3:
            water_HW = strength * _shine(liquid_HW)
            wet: Image = x + water_HW[..., None] * _like(x, WATER)
            return wet
        mud_HW = ndimage.gaussian_filter((liquid_HW > least).astype(float), strength, mode="nearest")
        mud_HW1 = np.where(mud_HW < MUD_IS_SEEN, 0.0, mud_HW)[..., None]
        dirty: Image = x * (1 - mud_HW1) + mud_HW1 * _like(x, MUD)
        return dirty

    return apply


def _shine(liquid_HW: Image) -> Image:
    """The light on drops from 0 to 1: brighter on the lower right of their outlines, as of a relief.

    The published script finds outlines with Canny's detector; here they are the pixels of a drop at its border.
    """
    drops_HW = liquid_HW > 0
    outline_HW = drops_HW & ~ndimage.binary_erosion(drops_HW)
    if not outline_HW.any():
        return np.zeros_like(liquid_HW)
    far_HW = np.minimum(ndimage.distance_transform_edt(~outline_HW), FARTHEST)
    far_HW = np.floor(ndimage.uniform_filter(far_HW, 3, mode="mirror"))
    # Each distance as the share of pixels up to it, which is what equalising a histogram does.
    _, place, count = np.unique(far_HW, return_inverse=True, return_counts=True)
    share = (count.cumsum() - count[0]) / max(far_HW.size - count[0], 1)
    even_HW = 255 * share[place].reshape(far_HW.shape)
    light_HW = ndimage.correlate(even_HW, RELIEF, mode="mirror").clip(0, 255)
    light_HW = liquid_HW * ndimage.uniform_filter(light_HW, 3, mode="mirror")
    top = light_HW.max()
    found: Image = light_HW / top if top > 0 else light_HW
    return found


def elastic_transform(severity: int) -> Liquid:
    """Three points of the image are moved at random, and everything with them; then each pixel by smooth noise."""
    far, smooth, corner = (
        (0.0, 0.0, 0.08),
        (0.05, 0.2, 0.07),
        (0.08, 0.06, 0.06),
        (0.1, 0.04, 0.05),
        (0.1, 0.03, 0.03),
    )[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        size = np.array(x.shape[:2])
        centre, reach = size // 2, min(size) // 3
        points_32 = centre + reach * np.array([[1, 1], [1, -1], [-1, -1]])
        moved_32 = points_32 + min(size) * rng.uniform(-corner, corner, (3, 2))
        # The affine map from places in the result to those in the image.
        back_32 = np.linalg.solve(np.c_[moved_32, np.ones(3)], points_32)
        found_HWC = [
            ndimage.affine_transform(channel, back_32[:2].T, back_32[2], order=1, mode="mirror")
            for channel in np.moveaxis(x, 2, 0)
        ]
        shift_2HW = [
            far
            * min(size)
            * ndimage.gaussian_filter(rng.uniform(-1, 1, size), smooth * min(size), truncate=3)
            for _ in range(2)
        ]
        places = np.indices(tuple(size)) + shift_2HW
        changed: Image = np.stack(
            [ndimage.map_coordinates(channel, places, order=1, mode="reflect") for channel in found_HWC], 2
        )
        return changed

    return apply


def _like(x: Image, colour: Image) -> Image:
    """A colour for the channels of an image."""
    return colour if x.shape[2] == 3 else np.array([LUMA @ colour])
