"""ResNet-34 for small or large images, as a spiking network; with the neuron relu the teacher of TWD on CIFAR."""

from typing import Literal

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._basic_resnet import BasicResNet


class ResNet34SNN(BasicResNet):
    """ResNet-34; with the neuron `relu` TWD's teacher, with `quant_relu` that of the mixed-timestep paper.

    conv 64-norm-neuron, stages of 3, 4, 6, 3 residual blocks with 64, 128, 256, 512 channels and strides 1,
    2, 2, 2, average pool, and a linear head on each step (TWD, released code of the ANN): 33 neuron layers. Any
    image size works; 32 and 224 are the published ones.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: factory of the neurons after residual additions; None: `neuron`.
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
            (3, 4, 6, 3), neuron, norm, in_channels, num_classes, residual_neuron, stem=stem, pool=pool
        )
