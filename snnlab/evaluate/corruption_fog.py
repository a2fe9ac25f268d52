"""Fog among CIFAR-C's corruptions: a fractal height map laid over the image.

Shapes: H height, W width, C channels, N side of the map.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]


def fog(severity: int) -> Callable[[Image, np.random.Generator], Image]:
    """Adds the map, and scales to the image's own range of values."""
    strength, decay = ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75))[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        top = x.max()
        if top == 0:
            return x
        side = 1 << (max(x.shape[:2]) - 1).bit_length()
        map_HW = height_map(side, decay, rng)[: x.shape[0], : x.shape[1]]
        changed: Image = (x + strength * map_HW[..., None]) * top / (top + strength)
        return changed

    return apply


def height_map(side: int, decay: float, rng: np.random.Generator) -> Image:
    """A periodic map from 0 to 1 by the diamond-square algorithm, [N, N].

    Args:
        side: N, a power of two.
        decay: divides the random part from one scale to the next.
        rng: of the random part.
    """
    heights_NN = np.zeros((side, side))
    step, rough = side, 100.0
    while step >= 2:
        half = step // 2
        corners = heights_NN[::step, ::step]
        # Middles of squares, from their four corners.
        corners_below = np.roll(corners, -1, 0)
        middles = _mean(
            corners + corners_below + np.roll(corners, -1, 1) + np.roll(corners_below, -1, 1), rough, rng
        )
        heights_NN[half::step, half::step] = middles
        # Middles of edges, from the two corners and the two middles beside them.
        across = corners + np.roll(corners, -1, 1) + middles + np.roll(middles, 1, 0)
        down = corners + np.roll(corners, -1, 0) + middles + np.roll(middles, 1, 1)
        heights_NN[::step, half::step] = _mean(across, rough, rng)
        heights_NN[half::step, ::step] = _mean(down, rough, rng)
        step, rough = half, rough / decay
    heights_NN -= heights_NN.min()
    found: Image = heights_NN / heights_NN.max()
    return found


def _mean(sum_of_four: Image, rough: float, rng: np.random.Generator) -> Image:
    # The published script multiplies by the roughness twice.
    return sum_of_four / 4 + rough * rng.uniform(-rough, rough, sum_of_four.shape)
