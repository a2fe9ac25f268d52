"""ResNet-18 for small images, as a spiking network."""

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._cifar_resnet import CIFARResNet


class ResNet18SNN(CIFARResNet):
    """ResNet-18 for small images (3x3 stem, no pool at the start), the student of TWD on CIFAR.

    conv 64-norm-neuron, stages of two residual blocks with 64, 128, 256, 512 channels and strides 1, 2, 2, 2,
    average pool, and a linear head on each step (TWD, released code). Any image size works; 32 is the
    published one. Weights start as PyTorch's do, as in the released code. With the neuron `relu` it is an
    ANN.

    Args:
        neuron, norm: makers of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: maker of the neurons after residual additions; None: `neuron`. With `cf` there and `lif`
            elsewhere it is the network RES of the circulate-firing paper (Fig. 7).
    """

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None = None,
    ) -> None:
        super().__init__((2, 2, 2, 2), neuron, norm, in_channels, num_classes, residual_neuron)
