"""QKFormer's patch embedding: a convolutional path with pools, and a 1x1 convolution around it.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.residual import conv3x3
from snnlab.layers.time import EachStep


@dataclass(frozen=True)
class Step:
    """conv3x3-norm-neuron with so many output channels, and a max pool (3, stride 2) before the neuron or not."""

    channels: int
    pool: bool = False


class TwoWayEmbedding(nn.Module):
    """stem, then main path + side path, each ending in a neuron: x_TBCHW -> integers [T, B, C', H', W'].

    The side path is a 1x1 convolution-norm-neuron whose stride is that of the main path's pools.

    Args:
        c_in: input channels.
        stem: steps in front of both paths; may be empty.
        main: steps of the main path.
        neuron, norm: factories of the layers.
    """

    def __init__(
        self,
        c_in: int,
        stem: Sequence[Step],
        main: Sequence[Step],
        neuron: NeuronFactory,
        norm: NormFactory,
    ) -> None:
        super().__init__()
        c_middle = stem[-1].channels if stem else c_in
        c_out = main[-1].channels
        self.stem = _path(c_in, stem, neuron, norm)
        self.main = _path(c_middle, main, neuron, norm)
        stride = 2 ** sum(step.pool for step in main)
        side = nn.Conv2d(c_middle, c_out, 1, stride=stride, bias=False)
        self.side = Layers(EachStep(side), norm(c_out), neuron())

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        x_TBCHW = self.stem(x_TBCHW)
        sum_TBCHW: Tensor = self.main(x_TBCHW) + self.side(x_TBCHW)
        return sum_TBCHW


def _path(c_in: int, steps: Sequence[Step], neuron: NeuronFactory, norm: NormFactory) -> nn.Sequential:
    layers: list[nn.Module] = []
    for step in steps:
        layers += [conv3x3(c_in, step.channels), norm(step.channels)]
        if step.pool:
            layers.append(EachStep(nn.MaxPool2d(3, stride=2, padding=1)))
        layers.append(neuron())
        c_in = step.channels
    return Layers(*layers)
