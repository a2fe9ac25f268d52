"""MS-ResNet-18 for small images: a spiking ResNet whose shortcuts carry membrane inputs.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.pre_activation import pre_activation_stage
from snnlab.layers.residual import conv3x3


class MSResNet18SNN(nn.Module):
    """MS-ResNet-18 for small images, a student of TWD on CIFAR-100.

    conv 64-norm, stages of two pre-activation blocks with 64, 128, 256, 512 channels and strides 1, 2, 2, 2,
    neuron, average pool, and a linear head on each step (Hu et al. 2024, "Advancing spiking neural networks
    toward deep residual learning"). That paper's code has a network for ImageNet only and TWD's has none; the
    stem for 32 x 32 images is LM-HT's, which has no neuron before the pool.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        last_neuron: true: a neuron before the average pool, as in MS-ResNet's code | false: none, as in
            LM-HT.
    """

    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        *,
        last_neuron: bool = True,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv3x3(in_channels, 64), norm(64))
        self.stages = nn.Sequential(
            pre_activation_stage(64, 64, 2, 1, neuron, norm),
            pre_activation_stage(64, 128, 2, 2, neuron, norm),
            pre_activation_stage(128, 256, 2, 2, neuron, norm),
            pre_activation_stage(256, 512, 2, 2, neuron, norm),
        )
        self.neuron = neuron() if last_neuron else nn.Identity()
        self.head = nn.Linear(512, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        x_TBCHW = self.neuron(self.stages(self.stem(x_TBCHW)))
        logits_TBK: Tensor = self.head(x_TBCHW.mean((3, 4)))
        return logits_TBK
