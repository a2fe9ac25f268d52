"""The constant that remains when a normalisation is folded into the convolution before it."""

import torch
from torch import Tensor, nn


class Shift(nn.Module):
    """A constant for each channel, added at every step: x_TBC... + bias; no normalisation.

    `snnlab convert` puts it where the running statistics of a batch normalisation are folded into the
    weights before it.

    Args:
        num_features: channels.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x_TBC: Tensor) -> Tensor:
        return x_TBC + self.bias.view(-1, *[1] * (x_TBC.dim() - 3))
