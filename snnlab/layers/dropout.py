"""Dropout whose mask is constant over the time steps of a sample."""

from torch import Tensor, nn
from torch.nn import functional as F


class SharedDropout(nn.Module):
    """Dropout with one mask per sample for all its time steps: x_TB... -> x_TB....

    With a mask for each time step almost every unit would be active at some step, which averages dropout out.

    Args:
        p: probability of dropping a unit.
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
