"""The ResNet-18 of DS-ATGO for ImageNet, which is its ResNet-19 with a single linear layer."""

from typing import Literal

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._sew_resnet import SEWResNet


class DSATGOResNet18SNN(SEWResNet):
    """DS-ATGO's ResNet-18: a stem of 128 channels, SEW blocks with 128, 256, 512 channels, a linear head without bias.

    What the paper's Table 4 and the released code for CIFAR-10 fix: the widths, strides 1, 2, 2, and that the hidden
    linear layer of ResNet-19 is left out (`sew_resnet19_snn` has it). What they do not fix for 224 x 224 pixels: the
    table prints a 3x3 stem of stride 1, about 50 times the work of a CIFAR image; and three blocks in the last stage,
    where the released code has two, with which the paper's operation count agrees. Convolutions start from Kaiming's
    normal distribution (fan_out). It is not torchvision's ResNet-18 (11.7 M parameters): this has 13.1 M.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        stem: imagenet (7x7 convolution of stride 2, and a pool of 3 with stride 2; as in MS-ResNet) | cifar (3x3, as
            printed).
        pool: of the imagenet stem: max | avg.
        last_blocks: blocks of the last stage: 2 (released code) | 3 (Table 4).
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
        last_blocks: Literal[2, 3] = 2,
    ) -> None:
        super().__init__(
            (3, 3, last_blocks),
            (128, 256, 512),
            neuron,
            norm,
            in_channels,
            num_classes,
            stem=stem,
            pool=pool,
            head_bias=False,
        )
