"""ResNet-19 with the neurons before the additions (SEW), as released with DS-ATGO.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.residual import conv3x3, sew_stage


class SEWResNet19SNN(nn.Module):
    """SEW ResNet-19 of DS-ATGO: as `resnet19_snn` with 128 channels first, but neurons before the additions.

    conv-norm-neuron, stages of 3, 3, 2 SEW blocks with 128, 256, 512 channels and strides 1, 2, 2, average pool,
    then on each step linear 512 to 256, norm, neuron, linear to the classes, both without bias (released code; the
    paper's Table 4 prints three blocks in the last stage, with which its operation count does not agree).
    Convolutions start from Kaiming's normal distribution (fan_out). Any image size works; 32 is the published one.
    With the neuron `relu` it is an ANN.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
    """

    convolutional = True

    def __init__(self, neuron: NeuronFactory, norm: NormFactory, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.stem = Layers(conv3x3(in_channels, 128), norm(128), neuron())
        self.stages = nn.Sequential(
            sew_stage(128, 128, 3, 1, neuron, norm),
            sew_stage(128, 256, 3, 2, neuron, norm),
            sew_stage(256, 512, 2, 2, neuron, norm),
        )
        self.head = Layers(
            nn.Linear(512, 256, bias=False), norm(256), neuron(), nn.Linear(256, num_classes, bias=False)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK
