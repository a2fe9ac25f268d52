"""The first layers of ResNets, for small or large images."""

from typing import Literal

from torch import nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.residual import conv3x3
from snnlab.layers.time import EachStep

Stem = Literal["cifar", "imagenet"]
StemPool = Literal["avg", "max"]


def resnet_stem(
    c_in: int, width: int, stem: Stem, pool: StemPool, neuron: NeuronFactory, norm: NormFactory
) -> nn.Sequential:
    """Returns convolution-norm-neuron: 3x3 for "cifar"; 7x7 of stride 2 and a pool (3, stride 2) for "imagenet"."""
    if stem == "cifar":
        return Layers(conv3x3(c_in, width), norm(width), neuron())
    conv = EachStep(nn.Conv2d(c_in, width, 7, stride=2, padding=3, bias=False))
    kind = nn.AvgPool2d if pool == "avg" else nn.MaxPool2d
    return Layers(conv, norm(width), neuron(), EachStep(kind(3, stride=2, padding=1)))
