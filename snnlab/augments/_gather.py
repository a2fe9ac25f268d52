"""Moves whole pixels: builds each output image from chosen rows and columns of its input image.

Shapes: B samples, T time steps, C channels, H and W input size, P and Q output size.
"""

from torch import Tensor


def gather_pixels(x_BTCHW: Tensor, rows_BP: Tensor, columns_BQ: Tensor) -> Tensor:
    """Returns y [B, T, C, P, Q] with y[b, t, c, p, q] = x[b, t, c, rows[b, p], columns[b, q]].

    One gather over flattened pixels: the index is expanded over T and C without a copy.
    """
    batch, num_steps, channels, _, width = x_BTCHW.shape
    pixels_BPQ = rows_BP[:, :, None] * width + columns_BQ[:, None, :]
    index_B1N = pixels_BPQ.flatten(1)[:, None, :]
    planes_BKN = x_BTCHW.reshape(batch, num_steps * channels, -1)
    moved_BKN = planes_BKN.gather(2, index_B1N.expand(-1, num_steps * channels, -1))
    return moved_BKN.view(batch, num_steps, channels, rows_BP.shape[1], columns_BQ.shape[1])
