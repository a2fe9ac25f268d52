"""Time and batch as one axis, for layers that treat every time step alike, and back again.

Shape suffixes: T time steps, B samples of the batch, N = T * B, `...` any further axes.
"""

from torch import Tensor, nn


def fold_time(x_TB: Tensor) -> Tensor:
    """[T, B, ...] -> [T * B, ...], without a copy where the layout allows it."""
    return x_TB.flatten(0, 1)


def unfold_time(x_N: Tensor, num_steps: int) -> Tensor:
    """[T * B, ...] -> [T, B, ...]."""
    return x_N.unflatten(0, (num_steps, -1))


class EachStep(nn.Sequential):
    """Runs layers that know nothing of time on every step at once: [T, B, ...] -> [T, B, ...]."""

    def forward(self, x_TB: Tensor) -> Tensor:
        return unfold_time(super().forward(fold_time(x_TB)), len(x_TB))
