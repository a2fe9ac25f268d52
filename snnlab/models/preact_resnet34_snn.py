"""The pre-activation ResNet-34 of TWD for ImageNet, as a spiking network.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.pre_activation import pre_activation_stage
from snnlab.layers.time import EachStep


class PreActResNet34SNN(nn.Module):
    """Pre-activation ResNet-34 for large images, the student of TWD on ImageNet.

    conv 7x7 of stride 2-norm-max pool (3, stride 2) without a neuron, stages of 3, 4, 6, 3 pre-activation
    blocks with 64, 128, 256, 512 channels and strides 1, 2, 2, 2, average pool without a neuron before it,
    and a linear head on each step. All convolutions have a bias and start from Kaiming's normal distribution
    (fan_out), as in the released code. 224 is the published image size.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
    """

    convolutional = True

    def __init__(self, neuron: NeuronFactory, norm: NormFactory, in_channels: int, num_classes: int) -> None:
        super().__init__()
        conv = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3)
        self.stem = nn.Sequential(EachStep(conv), norm(64), EachStep(nn.MaxPool2d(3, stride=2, padding=1)))
        self.stages = nn.Sequential(
            pre_activation_stage(64, 64, 3, 1, neuron, norm, bias=True),
            pre_activation_stage(64, 128, 4, 2, neuron, norm, bias=True),
            pre_activation_stage(128, 256, 6, 2, neuron, norm, bias=True),
            pre_activation_stage(256, 512, 3, 2, neuron, norm, bias=True),
        )
        self.head = nn.Linear(512, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK
