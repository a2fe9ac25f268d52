"""The common base of SEW ResNets, which differ in the number of blocks and the widths.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from itertools import pairwise

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.residual import sew_stage
from snnlab.layers.resnet_stem import Stem, StemPool, resnet_stem
from snnlab.models._residual_names import OF_SEW, OF_TORCHVISION, resnet_names


class SEWResNet(nn.Module):
    """A stem, stages of SEW blocks, mean over the image, linear head on each step.

    Convolutions start from Kaiming's normal distribution (fan_out). All but the first stage halve the image.

    Args:
        blocks, widths: number of blocks and channels of each stage; the stem has the first one's channels.
        neuron, norm, in_channels, num_classes: see the networks.
        stem, pool: see `resnet_stem`.
        head_bias: whether the head has a bias.
    """

    released_unused = ""

    def __init__(
        self,
        blocks: tuple[int, ...],
        widths: tuple[int, ...],
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        *,
        stem: Stem,
        pool: StemPool,
        head_bias: bool = True,
    ) -> None:
        super().__init__()
        self.stem = resnet_stem(in_channels, widths[0], stem, pool, neuron, norm)
        self.stages = nn.Sequential(
            *(
                sew_stage(c_in, c_out, count, 1 if stage == 0 else 2, neuron, norm)
                for stage, (count, (c_in, c_out)) in enumerate(
                    zip(blocks, pairwise((widths[0], *widths)), strict=True)
                )
            )
        )
        self.head = nn.Linear(widths[-1], num_classes, bias=head_bias)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in spikingjelly's model zoo."""
        return resnet_names(self.stages, OF_TORCHVISION)

    def other_released_names(self) -> list[list[str]]:
        """The names in the code of SEW-ResNet."""
        return [resnet_names(self.stages, OF_SEW)]
