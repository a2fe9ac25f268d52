"""Warps each sample by its own 2x2 matrix about the image's centre; pixels from outside are zero.

Shapes: B samples, T time steps, C channels, H rows, W columns.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

INTERPOLATIONS = ("nearest", "bilinear")


def warp(x_BTCHW: Tensor, matrix_B22: Tensor, interpolation: str, shift_B2: Tensor | None = None) -> Tensor:
    """Output pixel (x, y), in pixels from the centre, takes the input at matrix @ (x, y).

    Args:
        x_BTCHW: frames or images, floating point.
        matrix_B22: maps output to input coordinates (column, row): the inverse of the visible motion.
        interpolation: "nearest" or "bilinear".
        shift_B2: pixels by which the content then moves to the right and down; None: 0.
    """
    batch, num_steps, channels, height, width = x_BTCHW.shape
    # affine_grid counts in half sides, so off-diagonal terms of a non-square image carry the aspect ratio.
    theta_B23 = matrix_B22.new_zeros(batch, 2, 3)
    theta_B23[:, 0, 0] = matrix_B22[:, 0, 0]
    theta_B23[:, 0, 1] = matrix_B22[:, 0, 1] * (height / width)
    theta_B23[:, 1, 0] = matrix_B22[:, 1, 0] * (width / height)
    theta_B23[:, 1, 1] = matrix_B22[:, 1, 1]
    if shift_B2 is not None:
        theta_B23[:, 0, 2] = shift_B2[:, 0] * (-2 / width)
        theta_B23[:, 1, 2] = shift_B2[:, 1] * (-2 / height)
    planes_BKHW = x_BTCHW.reshape(batch, num_steps * channels, height, width)
    grid_BHW2 = F.affine_grid(theta_B23, list(planes_BKHW.shape), align_corners=False).to(planes_BKHW.dtype)
    warped_BKHW = F.grid_sample(
        planes_BKHW, grid_BHW2, mode=interpolation, padding_mode="zeros", align_corners=False
    )
    return warped_BKHW.view(batch, num_steps, channels, height, width)


def check_interpolation(interpolation: str) -> None:
    """Raises ValueError unless the name is one that `warp` knows."""
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got '{interpolation}'")


def matrix_from(a_B: Tensor, b_B: Tensor, c_B: Tensor, d_B: Tensor) -> Tensor:
    """Stacks four entries into [[a, b], [c, d]] per sample [B, 2, 2]."""
    return torch.stack((a_B, b_B, c_B, d_B), dim=-1).view(-1, 2, 2)
