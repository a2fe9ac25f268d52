"""Batch normalisation over time, batch and space."""

from snnlab.norms.base import BatchNorm, BatchNormOverTime
from snnlab.ranges import Fraction, Positive


class BN(BatchNormOverTime):
    """Batch normalisation with one mean and variance per channel over time, batch and space.

    y = weight (x - mean) / sqrt(var + eps) + bias (Ioffe and Szegedy 2015), for x_TBC... with any further
    axes. The code of TET and TMC calls this tdBatchNorm, but there is no threshold in it: see `tdbn` for
    that.

    Args:
        num_features: channels.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics.
    """

    def __init__(self, num_features: int, *, eps: Positive = 1e-5, momentum: Fraction = 0.1) -> None:
        super().__init__()
        self.bn = BatchNorm(num_features, eps=eps, momentum=momentum)
