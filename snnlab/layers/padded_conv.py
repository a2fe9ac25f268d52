"""Meta-SpikeFormer's re-parameterisable convolution: a 3x3 kernel of rank one per channel between two 1x1 ones.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from snnlab.layers.factory import NormFactory
from snnlab.layers.time import EachStep
from snnlab.norms.base import BatchNormOverTime


class PaddedConv(nn.Module):
    """conv1x1-norm, pad by 1, depth-wise conv3x3, conv1x1-norm: x_TBCHW -> [T, B, C, H, W], all without bias.

    The padding has the value that the first norm gives to a zero in evaluation mode, and no gradient. At inference the
    whole is then a single 3x3 convolution of the zero-padded input (Yao et al. 2024, "Spike-driven Transformer V2").

    Args:
        channels: number of channels, C.
        norm: factory of the norms.
    """

    def __init__(self, channels: int, norm: NormFactory) -> None:
        super().__init__()
        self.enter = EachStep(nn.Conv2d(channels, channels, 1, bias=False))
        self.norm = norm(channels)
        self.depthwise = EachStep(nn.Conv2d(channels, channels, 3, groups=channels, bias=False))
        self.leave = EachStep(nn.Conv2d(channels, channels, 1, bias=False))
        self.last_norm = norm(channels)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        x_TBCHW = self.norm(self.enter(x_TBCHW))
        padding_TBCHW = at_zero(self.norm, len(x_TBCHW)).to(x_TBCHW)
        edge_HW = F.pad(x_TBCHW.new_zeros(x_TBCHW.shape[3:]), (1, 1, 1, 1), value=1.0)
        x_TBCHW = F.pad(x_TBCHW, (1, 1, 1, 1)) + edge_HW * padding_TBCHW
        y_TBCHW: Tensor = self.last_norm(self.leave(self.depthwise(x_TBCHW)))
        return y_TBCHW


@torch.no_grad()
def at_zero(norm: nn.Module, num_steps: int) -> Tensor:
    """Returns what a norm gives to zeros in evaluation mode: [T or 1, 1, C, 1, 1]."""
    if not isinstance(norm, BatchNormOverTime):  # what conversion leaves of a norm: an addition
        bias = norm.get_parameter("bias")
        return bias.view(1, 1, -1, 1, 1)
    bn = norm.bn
    assert isinstance(bn, nn.modules.batchnorm._BatchNorm)
    assert bn.running_mean is not None
    assert bn.running_var is not None
    value_C = bn.bias - bn.running_mean * bn.weight / torch.sqrt(bn.running_var + bn.eps)
    value_TBCHW = value_C.view(1, 1, -1, 1, 1)
    p_T = norm.step_factors(num_steps)
    return value_TBCHW if p_T is None else value_TBCHW * p_T.view(-1, 1, 1, 1, 1)
