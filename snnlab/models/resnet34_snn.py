"""ResNet-34 for small images, as a spiking network; with the neuron relu the teacher of TWD on CIFAR.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.residual import conv3x3, residual_stage


class ResNet34SNN(nn.Module):
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
        super().__init__()
        self.stem = nn.Sequential(conv3x3(in_channels, 64), norm(64), neuron())
        self.stages = nn.Sequential(
            residual_stage(64, 64, 3, 1, neuron, norm, residual_neuron),
            residual_stage(64, 128, 4, 2, neuron, norm, residual_neuron),
            residual_stage(128, 256, 6, 2, neuron, norm, residual_neuron),
            residual_stage(256, 512, 3, 2, neuron, norm, residual_neuron),
        )
        self.head = nn.Linear(512, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK
