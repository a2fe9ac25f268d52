"""Resizes frames of two channels as Pillow resizes a picture of grey values and opacity (mode "LA").

torchvision makes such a picture of a tensor with two channels. Pillow multiplies the grey values (here channel 0, OFF
events) by the opacity (channel 1, ON events), resizes both, and divides again. Channel 1 comes out as from a bilinear
resize; channel 0 becomes the mean over the places that have an ON event, and says nothing about the others.

Shapes: N frames, H height, W width, P output size, L input length.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

_BITS = 22  # Pillow's weights are integers, of which 2**22 is one.
_ONE = 1 << _BITS


def resize_la(x_N2HW: Tensor, size: int) -> Tensor:
    """The numbers of `ToTensor()(Resize(size)(ToPILImage()(frame)))` for each frame, bit for bit.

    Args:
        x_N2HW: frames from 0 to 1, floating point, [N, 2, H, W].
        size: height and width of the result.

    Returns:
        Multiples of 1/255 from 0 to 1, float32, [N, 2, size, size].
    """
    bytes_N2HW = (x_N2HW * 255).to(torch.uint8).to(torch.int32)
    if x_N2HW.shape[-2:] != (size, size):
        grey, opacity = bytes_N2HW.unbind(1)
        shaded_N2HW = torch.stack([_product(grey, opacity), opacity], 1)
        grey, opacity = _resize(shaded_N2HW, size).unbind(1)
        divided = (255 * grey).div(opacity.clamp(min=1), rounding_mode="floor").clamp(max=255)
        grey = torch.where((opacity == 0) | (opacity == 255), grey, divided)
        bytes_N2HW = torch.stack([grey, opacity], 1)
    return bytes_N2HW.to(torch.float32) / 255


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a b / 255 to the nearest integer, without a division."""
    product = a * b + 128
    return ((product >> 8) + product) >> 8


def _resize(x_N2HW: Tensor, size: int) -> Tensor:
    """Bilinear with antialiasing, first along W, then along H, with bytes between them."""
    height, width = x_N2HW.shape[-2:]
    if width != size:
        x_N2HW = _to_bytes(x_N2HW.double() @ _weights(width, size, x_N2HW.device).T)
    if height != size:
        x_N2HW = _to_bytes(_weights(height, size, x_N2HW.device) @ x_N2HW.double())
    return x_N2HW


def _to_bytes(sums: Tensor) -> Tensor:
    # Sums of products of integers below 2**31: exact in float64, not in float32.
    return ((sums + _ONE // 2) / _ONE).floor().clamp(0, 255).to(torch.int32)


@lru_cache
def _weights(length: int, size: int, device: torch.device) -> Tensor:
    """Pillow's weight of every input for every output, float64 [P, L], integers."""
    scale = length / size
    support = max(scale, 1.0)
    rows = torch.zeros(size, length, dtype=torch.float64)
    for i in range(size):
        centre = (i + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), length)
        slopes = [max(1 - abs((j - centre + 0.5) / support), 0.0) for j in range(first, last)]
        total = sum(slopes)
        for j, slope in zip(range(first, last), slopes, strict=True):
            rows[i, j] = math.floor(slope / total * _ONE + 0.5)
    return rows.to(device)
