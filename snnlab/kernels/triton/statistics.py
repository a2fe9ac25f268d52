"""The statistics of a batch normalisation for tensors of one layout: what is worked out once, and the launches.

Shape suffixes: T time steps, B samples, C channels, `...` any further axes.
"""

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton.channel_moments import column_moments, norm_table
from snnlab.kernels.triton.launcher import Launch
from snnlab.kernels.triton.layout import channel_strides, dense_strides, laid_out, unless_laid_out

_TILE = 1024  # numbers that a program reads at a time: 8 a thread, of which those of the next tile are on their way
_MOST_COLS = 128
_PROGRAMS = (
    1024  # about as many as fit on a large GPU at once; the same everywhere, so that sums do not depend on it
)
_LEAST_TILES = 4  # a program with fewer would spend its time on combining lanes


class Statistics:
    """Computes what a batch normalisation with the statistics of its batch needs, in two launches.

    Args:
        y_T: a tensor [T, B, C, ...]. No reference to it is kept.
        eps: added to the variance.
    """

    def __init__(self, y_T: Tensor, eps: float) -> None:
        step = dense_strides(y_T)[1:]
        self._copied = None if unless_laid_out(y_T[0], step) is None else dense_strides(y_T)
        count = y_T[0].numel()
        y_t = y_T.stride(0) if self._copied is None else count
        inner, self._channels = channel_strides(y_T)
        length = inner * self._channels
        outer = count // length
        rows = len(y_T) * outer
        if y_t == count or len(y_T) == 1:
            outer = rows  # as if there were one step
        cols = min(_MOST_COLS, triton.next_power_of_2(length))
        alike = inner % cols == 0
        tile = _TILE // cols
        blocks = triton.cdiv(length, cols)
        splits = max(1, min(triton.cdiv(_PROGRAMS, blocks), rows // (tile * _LEAST_TILES)))
        rows_each = triton.cdiv(triton.cdiv(rows, splits), tile) * tile
        splits = triton.cdiv(rows, rows_each)
        columns, part = (length // cols, inner // cols) if alike else (length, inner)
        self._parts = splits, 2, columns
        device = y_T.get_device()
        self._moments = Launch(
            column_moments,
            (blocks, splits),
            (rows, rows_each, outer, length, inner, y_t),
            {"ALIKE": alike, "ROWS": tile, "COLS": cols},
            device,
            {
                "enable_fp_fusion": True
            },  # it decides about no spike by itself, and is at the limit of arithmetic
        )
        self._table = Launch(
            norm_table,
            (self._channels,),
            (splits * part, rows, rows_each, cols if alike else 1, inner, part, self._channels, eps),
            {"BLOCK": 1024},
            device,
        )

    def __call__(self, y_T: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Returns mean, scale, bias, 1 / sqrt(var + eps) and variance [5, C]; the variance is divided by the count."""
        parts = y_T.new_empty(self._parts, dtype=torch.float32)
        table = y_T.new_empty(5, self._channels, dtype=torch.float32)
        y_T = laid_out(y_T, self._copied)
        self._moments(y_T, parts)
        self._table(y_T, parts, weight, bias, table)
        return table
