"""The blurs among CIFAR-C's corruptions, with its constants for images of 32 x 32 pixels.

Shapes: H height, W width, C channels.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]
Blur = Callable[[Image, np.random.Generator], Image]


def gaussian_blur(severity: int) -> Blur:
    sigma = (0.4, 0.6, 0.7, 0.8, 1.0)[severity - 1]
    return lambda x, rng: _smooth(x, sigma)


def defocus_blur(severity: int) -> Blur:
    """A disk whose edge is smoothed by a Gaussian of 3 x 3 pixels."""
    radius, edge = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1))[severity - 1]
    axis = np.arange(-3, 4)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2).astype(float)
    side = math.exp(-0.5 / edge**2)
    taps = np.array([side, 1.0, side]) / (1 + 2 * side)
    for direction in (0, 1):
        disk = ndimage.correlate1d(disk, taps, axis=direction, mode="constant")
    kernel_HW1 = (disk / disk.sum())[..., None]
    return lambda x, rng: ndimage.correlate(x, kernel_HW1, mode="mirror")


def glass_blur(severity: int) -> Blur:
    """A pixel takes the value of a neighbour, one after the other from the lower right; blurred before and after.

    The published script means to exchange the two, but its exchange of views of an array copies; the published images
    are those.
    """
    sigma, reach, rounds = ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2))[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        height, width, channels = x.shape
        blurred = np.floor(255 * _smooth(x, sigma) + 1e-6) / 255
        place = list(range(height * width))
        rows, columns = range(height - reach, reach, -1), range(width - reach, reach, -1)
        for _ in range(rounds):
            shift = rng.integers(-reach, reach, (len(rows), len(columns), 2)).tolist()
            for row, shifts in zip(rows, shift, strict=True):
                for column, (dx, dy) in zip(columns, shifts, strict=True):
                    here = row * width + column
                    there = (row + dy) * width + column + dx
                    place[here] = place[there]
        return _smooth(blurred.reshape(-1, channels)[place].reshape(x.shape), sigma)

    return apply


def motion_blur(severity: int) -> Blur:
    """One side of a Gaussian along a line at a random angle within 45 degrees; beyond the edge its pixels go on."""
    radius, sigma = ((6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5))[severity - 1]
    return lambda x, rng: moved(x, radius, sigma, rng.uniform(-45, 45))


def moved(x: Image, radius: int, sigma: float, degrees: float) -> Image:
    """One side of a Gaussian along a line; beyond the edge its pixels go on."""
    distance = np.arange(2 * radius + 1)
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    weights /= weights.sum()
    angle = math.radians(degrees)
    rows, columns = np.arange(x.shape[0]), np.arange(x.shape[1])
    found = np.zeros_like(x)
    for far, weight in zip(distance.tolist(), weights.tolist(), strict=True):
        down, right = math.ceil(far * math.sin(angle) - 0.5), math.ceil(far * math.cos(angle) - 0.5)
        there = x[(rows + down).clip(0, x.shape[0] - 1)][:, (columns + right).clip(0, x.shape[1] - 1)]
        found += weight * there
    return found


def zoom_blur(severity: int) -> Blur:
    """The mean of the image and of its enlargements in steps of a hundredth."""
    most = (6, 11, 16, 21, 26)[severity - 1]

    def apply(x: Image, rng: np.random.Generator) -> Image:
        larger = [enlarged(x, 1 + step / 100) for step in range(most)]
        mean: Image = np.mean([x, *larger], axis=0)
        return mean

    return apply


def enlarged(x: Image, factor: float) -> Image:
    """The middle of the image, enlarged to its size."""
    height, width = x.shape[:2]
    part = [math.ceil(size / factor) for size in (height, width)]
    top, left = (height - part[0]) // 2, (width - part[1]) // 2
    large = ndimage.zoom(x[top : top + part[0], left : left + part[1]], (factor, factor, 1), order=1)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    found: Image = large[top : top + height, left : left + width]
    return found


def _smooth(x: Image, sigma: float) -> Image:
    found: Image = ndimage.gaussian_filter(x, (sigma, sigma, 0), mode="nearest")
    return found
