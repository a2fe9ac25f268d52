"""Packs numbers into bits on a GPU: the launches of `pack_bits.py`."""

import functools

import triton
from torch import Tensor

from snnlab.kernels.levels import Levels
from snnlab.kernels.triton.launcher import Launch
from snnlab.kernels.triton.pack_bits import pack_bits, unpack_bits

_BLOCK = 1024


def pack(x_N: Tensor, packed: Tensor, wrong: Tensor, levels: Levels, bits: int) -> None:
    """Writes bytes `packed` of the numbers x_N [N]; sets `wrong` to 1 if one of them is not a level."""
    _packing(len(x_N), len(packed), levels, bits, x_N.get_device())(x_N, packed, wrong)


def unpack(packed: Tensor, x_N: Tensor, levels: Levels, bits: int) -> None:
    """Writes the numbers x_N [N] of bytes `packed`."""
    _unpacking(len(x_N), len(packed), levels, bits, x_N.get_device())(packed, x_N)


@functools.lru_cache(256)
def _packing(count: int, row: int, levels: Levels, bits: int, device: int) -> Launch:
    low, high, parts = levels
    numbers = (count, row, float(low), float(high - low), float(parts))
    return Launch(pack_bits, (triton.cdiv(row, _BLOCK),), numbers, {"BITS": bits, "BLOCK": _BLOCK}, device)


@functools.lru_cache(256)
def _unpacking(count: int, row: int, levels: Levels, bits: int, device: int) -> Launch:
    numbers = (count, row, float(levels.low), 1 / levels.parts)
    return Launch(unpack_bits, (triton.cdiv(row, _BLOCK),), numbers, {"BITS": bits, "BLOCK": _BLOCK}, device)
