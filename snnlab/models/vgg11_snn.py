"""VGG-11 and other plain networks whose pools are given by a list.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.image_size import check_image_size
from snnlab.layers.time import EachStep
from snnlab.ranges import HalfOpenFraction


class VGG11SNN(nn.Module):
    """VGG-11: 3x3 convolutions, pools by 2 where `pools` says so, and one linear layer.

    Conv-norm-neuron for every entry of `channels`, a pool behind those that `pools` names, then a linear head on each
    step, on the mean over the image or on all its pixels. The circulate-firing paper has such a network for
    ImageNet-200 and gives neither its head nor its size; the mean is the head of LM-HT's VGG-13, its competitor:
    channels (64, 64, 128, 128, 256, 256, 512, 512, 512, 512), pools (2, 4, 6, 9).

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        channels: output channels of the convolutions.
        pools: numbers of the convolutions, from 1, that a pool follows.
        pool: avg | max.
        head: mean (over the image) | flatten (all pixels).
        conv_bias: true: bias in the convolutions.
        dropout: probability before the head, one mask for all steps.

    Raises:
        ValueError: no convolution, a pool behind none, or an image size that is not divisible by the pools.
    """

    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        image_size: int,
        *,
        channels: tuple[int, ...] = (64, 128, 256, 256, 512, 512, 512, 512),
        pools: tuple[int, ...] = (1, 2, 4, 6),
        pool: Literal["avg", "max"] = "avg",
        head: Literal["mean", "flatten"] = "mean",
        conv_bias: bool = True,
        dropout: HalfOpenFraction = 0.0,
    ) -> None:
        super().__init__()
        if not channels:
            raise ValueError("channels of vgg11_snn are those of at least one convolution")
        if not set(pools) <= set(range(1, len(channels) + 1)):
            raise ValueError(
                f"pools of vgg11_snn are numbers of its convolutions, 1 to {len(channels)}, not {list(pools)}"
            )
        factor = 2 ** len(set(pools))
        check_image_size(image_size, f"vgg11_snn with {len(set(pools))} pools", factor)
        layers: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(pairwise((in_channels, *channels)), start=1):
            conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=conv_bias)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            layers += [EachStep(conv), norm(c_out), neuron()]
            if i in pools:
                layers.append(EachStep(nn.AvgPool2d(2) if pool == "avg" else nn.MaxPool2d(2)))
        self.features = Layers(*layers)
        self.flatten = head == "flatten"
        self.dropout = SharedDropout(dropout)
        pixels = (image_size // factor) ** 2 if self.flatten else 1
        self.head = nn.Linear(channels[-1] * pixels, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        map_TBCHW = self.features(x_TBCHW)
        features_TBC = map_TBCHW.flatten(2) if self.flatten else map_TBCHW.mean((3, 4))
        logits_TBK: Tensor = self.head(self.dropout(features_TBC))
        return logits_TBK
