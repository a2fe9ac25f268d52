"""ResNet-34 for small images, as a spiking network; with the neuron relu the teacher of TWD on CIFAR."""

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._cifar_resnet import CIFARResNet


class ResNet34SNN(CIFARResNet):
    """ResNet-34 for small images (3x3 stem, no pool at the start); with the neuron `relu`, TWD's teacher.

    conv 64-norm-neuron, stages of 3, 4, 6, 3 residual blocks with 64, 128, 256, 512 channels and strides 1,
    2, 2, 2, average pool, and a linear head on each step (TWD, released code of the ANN). Any image size
    works; 32 is the published one.

    Args:
        neuron, norm: makers of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: maker of the neurons after residual additions; None: `neuron`.
    """

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None = None,
    ) -> None:
        super().__init__((3, 4, 6, 3), neuron, norm, in_channels, num_classes, residual_neuron)
