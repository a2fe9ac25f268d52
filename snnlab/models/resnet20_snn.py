"""ResNet-20, the small ResNet for small images, as a spiking network or as an ANN."""

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.models._basic_resnet import BasicResNet
from snnlab.ranges import PositiveInt


class ResNet20SNN(BasicResNet):
    """ResNet-20 (He et al. 2016) as in QCFS and the mixed-timestep paper: 0.27 million parameters.

    conv 16-norm-neuron, stages of three residual blocks with 16, 32, 64 channels and strides 1, 2, 2, a 1x1
    convolution in the shortcut where the shape changes (QCFS), average pool, and a linear head on each step: 19
    neuron layers. Any image size works; 32 is the published one.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: factory of the neurons after residual additions; None: `neuron`.
        blocks: residual blocks in each stage; each stage after the first doubles the channels. Fewer make a network
            for a CPU.
        width: channels of the first stage.
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
        blocks: tuple[int, ...] = (3, 3, 3),
        width: PositiveInt = 16,
    ) -> None:
        super().__init__(blocks, neuron, norm, in_channels, num_classes, residual_neuron, width=width)
