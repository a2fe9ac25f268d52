"""Threshold-dependent batch normalisation."""

from torch import nn

from snnlab.norms.base import BatchNorm, BatchNormOverTime
from snnlab.ranges import Fraction, Positive


class TDBN(BatchNormOverTime):
    """Threshold-dependent batch normalisation: the initial standard deviation is alpha times the threshold.

    y = weight (x - mean) / sqrt(var + eps) + bias over time, batch and space, with weight = alpha threshold
    before training (Zheng et al. 2021, "Going deeper with directly-trained larger spiking neural networks").
    The paper writes the factor separately from a weight initialised to 1; here, as in its code, it is the weight's
    initial value.

    Args:
        num_features: channels.
        threshold: threshold of the neuron that follows.
        alpha: initial standard deviation of the output over the neuron's threshold. Should be 1, or 1 /
            sqrt(number of branches) where several branches are added.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics.
    """

    def __init__(
        self,
        num_features: int,
        threshold: float,
        *,
        alpha: Positive = 1.0,
        eps: Positive = 1e-5,
        momentum: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.bn = BatchNorm(num_features, eps=eps, momentum=momentum)
        nn.init.constant_(self.bn.weight, alpha * threshold)
