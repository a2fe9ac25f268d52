"""What the ResNets with the CIFAR stem share: all but the number of blocks in each stage.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.residual import conv3x3, residual_stage


class CIFARResNet(nn.Module):
    """3x3 stem with 64 channels, four stages of basic blocks, mean over the image, linear head on each step.

    Args:
        blocks: of each stage, which have 64, 128, 256 and 512 channels; all but the first halve the image.
        neuron, norm, in_channels, num_classes, residual_neuron: see the networks.
    """

    def __init__(
        self,
        blocks: tuple[int, int, int, int],
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv3x3(in_channels, 64), norm(64), neuron())
        self.stages = nn.Sequential(
            residual_stage(64, 64, blocks[0], 1, neuron, norm, residual_neuron),
            residual_stage(64, 128, blocks[1], 2, neuron, norm, residual_neuron),
            residual_stage(128, 256, blocks[2], 2, neuron, norm, residual_neuron),
            residual_stage(256, 512, blocks[3], 2, neuron, norm, residual_neuron),
        )
        self.head = nn.Linear(512, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK
