"""Temporal effective batch normalisation."""

import torch
from torch import Tensor, nn

from snnlab.norms.base import BatchNorm, BatchNormOverTime
from snnlab.ranges import Fraction, Positive


class TEBN(BatchNormOverTime):
    """Temporal effective batch normalisation: batch normalisation times a learned scale per time step.

    y_t = p_t (weight (x_t - mean) / sqrt(var + eps) + bias), statistics over time, batch and space, p_t = 1
    before training (Duan et al. 2022, "Temporal effective batch normalization in spiking neural networks").

    Args:
        num_features: channels.
        num_steps: number of time steps with a scale; fewer may be run, more may not.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics.

    Raises:
        ValueError: in `forward`, for more steps than there are scales.
    """

    per_step = True
    """Steps are not alike: it has to see them all at once, see `snnlab.layers.streaming`."""

    def __init__(
        self, num_features: int, num_steps: int, *, eps: Positive = 1e-5, momentum: Fraction = 0.1
    ) -> None:
        super().__init__()
        self.bn = BatchNorm(num_features, eps=eps, momentum=momentum)
        self.p = nn.Parameter(torch.ones(num_steps))

    def step_factors(self, num_steps: int) -> Tensor:
        if num_steps > len(self.p):
            raise ValueError(
                f"tebn holds a scale for each of {len(self.p)} time steps, so it cannot run {num_steps}: "
                "train with more steps, or choose the norm bn"
            )
        return self.p[:num_steps]
