"""ResNet-18 for small or large images, as a spiking network or as an ANN."""

from typing import Literal

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._basic_resnet import BasicResNet


class ResNet18SNN(BasicResNet):
    """ResNet-18: the student of TWD on CIFAR; with `relu` or `quant_relu` an ANN, as in the mixed-timestep paper.

    conv 64-norm-neuron, stages of two residual blocks with 64, 128, 256, 512 channels and strides 1, 2, 2, 2,
    average pool, and a linear head on each step (TWD, released code): 17 neuron layers. Any image size works;
    32 is the published one. Weights start as PyTorch's do, as in the released code.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: factory of the neurons after residual additions; None: `neuron`. With `cf` there and `lif`
            elsewhere it is the network RES of the circulate-firing paper (Fig. 7).
        stem: cifar (3x3 convolution) | imagenet (7x7 of stride 2, and a pool of 3 with stride 2).
        pool: of the imagenet stem: avg | max.
    """

    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None = None,
        *,
        stem: Literal["cifar", "imagenet"] = "cifar",
        pool: Literal["avg", "max"] = "avg",
    ) -> None:
        super().__init__(
            (2, 2, 2, 2), neuron, norm, in_channels, num_classes, residual_neuron, stem=stem, pool=pool
        )
