"""Scaling by channel as a node of NIR.

Shape suffixes: C channels.
"""

import nir
import numpy as np
from numpy.typing import NDArray


def scale_and_shift(
    scale_C: NDArray[np.floating], shift_C: NDArray[np.floating], shape: tuple[int, ...]
) -> nir.NIRNode:
    """Returns y = scale x + shift for an input [C] or [C, H, W], with the diagonal matrix as weight.

    A depthwise convolution would be smaller, but spikingjelly reads no groups.
    """
    if len(shape) == 1:
        return nir.Affine(np.diag(scale_C), shift_C)
    return nir.Conv2d(tuple(shape[-2:]), np.diag(scale_C)[:, :, None, None], 1, 0, 1, 1, shift_C)
