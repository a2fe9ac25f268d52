"""Batch normalisation over time, batch and space."""

from torch import Tensor, nn

from snnlab.norms._batch import batch_norm_over_time, make_batch_norm
from snnlab.ranges import Fraction, Positive


class BN(nn.Module):
    """Batch normalisation, one mean and variance per channel over batch, time and space.

    y = weight (x - mean) / sqrt(var + eps) + bias (Ioffe and Szegedy 2015), for x_TBC... with any number of axes
    behind the channels. TET and TMC call this tdBatchNorm although it has no threshold in it; see `tdbn` for that.

    Args:
        num_features: channels.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics.
    """

    def __init__(self, num_features: int, *, eps: Positive = 1e-5, momentum: Fraction = 0.1) -> None:
        super().__init__()
        self.bn = make_batch_norm(num_features, eps, momentum)

    def forward(self, x_TBC: Tensor) -> Tensor:
        return batch_norm_over_time(self.bn, x_TBC)
