"""A normalisation in evaluation mode as an affine map: a factor and a constant for each channel."""

from copy import deepcopy

import torch
from torch import Tensor, nn


@torch.no_grad()
def affine_of(norm: nn.Module, channels: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Returns factor and constant of each channel [C], computed from the norm's outputs for 0 and 1.

    Args:
        norm: normalisation of x_TBC that does not depend on the time step.
        channels: number of channels, C.
        dtype: dtype of the computation and of both results.
    """
    copy = deepcopy(norm).to(dtype).eval()
    device = next(copy.buffers()).device
    ends_12C = torch.tensor([0.0, 1.0], dtype=dtype, device=device).view(1, 2, 1).repeat(1, 1, channels)
    at_zero, at_one = copy(ends_12C)[0]
    return at_one - at_zero, at_zero
