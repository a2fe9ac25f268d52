"""SEW ResNet-34 for large or small images: a spiking ResNet that adds spikes."""

from typing import Literal

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._sew_resnet import SEWResNet


class SEWResNet34SNN(SEWResNet):
    """SEW ResNet-34 of Fang et al. 2021, with the connect function ADD: neurons before the additions.

    Convolution-norm-neuron, stages of 3, 4, 6, 3 SEW blocks with 64, 128, 256, 512 channels and strides 1, 2, 2, 2,
    average pool, and a linear head on each step. The released networks are for ImageNet, with integrate-and-fire
    neurons (neuron=if) and the head behind the mean over time, which gives the same mean logits. Convolutions start
    from Kaiming's normal distribution (fan_out).

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        stem: imagenet (7x7 convolution of stride 2, and a pool of 3 with stride 2) | cifar (3x3).
        pool: of the imagenet stem: max | avg.
    """

    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        *,
        stem: Literal["imagenet", "cifar"] = "imagenet",
        pool: Literal["max", "avg"] = "max",
    ) -> None:
        widths = (64, 128, 256, 512)
        super().__init__((3, 4, 6, 3), widths, neuron, norm, in_channels, num_classes, stem=stem, pool=pool)
