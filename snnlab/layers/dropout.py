"""Dropout that holds its mask over the time steps of a sample."""

from torch import Tensor, nn
from torch.nn import functional as F


class SharedDropout(nn.Module):
    """Dropout with one mask per sample for all its time steps: x_TB... -> x_TB....

    A mask of each step's own would let every unit through at some step, which averages dropout away.

    Args:
        p: probability to drop a unit.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x_TB: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x_TB
        return x_TB * F.dropout(x_TB.new_ones(x_TB.shape[1:]), self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"
