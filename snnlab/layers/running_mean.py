"""The mean over the time steps so far, which has a state as neurons have.

Shape suffixes: T time steps, B samples, D numbers.
"""

import torch
from torch import Tensor

from snnlab.neurons.base import Neuron


class RunningMean(Neuron):
    """At each step the mean of this step's input and of those before it: after T steps, the average spiking rate.

    It is a `Neuron`, so that a network can be run step by step; its state is the sum so far and the number of steps,
    [B, D + 1].
    """

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns means [T, B, D] of x_T [T, B, D]."""
        before = self.initial_state(x_T[0]) if state is None else state
        ones = torch.ones(*x_T.shape[:-1], 1, device=x_T.device, dtype=before.dtype)
        sums_T = before + torch.cat([x_T.to(before.dtype), ones], -1).cumsum(0)
        return (sums_T[..., :-1] / sums_T[..., -1:]).to(x_T.dtype), sums_T[-1]

    def initial_state(self, x: Tensor) -> Tensor:
        dtype = torch.promote_types(x.dtype, torch.float32)
        return torch.zeros(*x.shape[:-1], x.shape[-1] + 1, device=x.device, dtype=dtype)
