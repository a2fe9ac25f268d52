"""Time and batch as one axis, for layers that treat every time step alike, and back again.

Shape suffixes: T time steps, B samples of the batch, N = T * B, `...` any further axes.
"""

from torch import Tensor, nn


def fold_time(x_TB: Tensor) -> Tensor:
    """[T, B, ...] -> [T * B, ...], without a copy where the layout allows it."""
    return x_TB.flatten(0, 1)


def unfold_time(x_N: Tensor, num_steps: int) -> Tensor:
    """[T * B, ...] -> [T, B, ...], without a copy."""
    return x_N.view(num_steps, -1, *x_N.shape[1:])


class EachStep(nn.Sequential):
    """Runs layers that know nothing of time on every step at once: [T, B, ...] -> [T, B, ...]."""

    def forward(self, x_TB: Tensor) -> Tensor:
        x_N = fold_time(x_TB)
        for layer in self:
            x_N = layer(x_N)
        return unfold_time(x_N, len(x_TB))
