"""The common base of ResNets of basic blocks, which differ in the number of blocks, the width and the stem.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from itertools import pairwise

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.residual import residual_stage
from snnlab.layers.resnet_stem import Stem, StemPool, resnet_stem
from snnlab.models._residual_names import OF_TORCHVISION, resnet_names


class BasicResNet(nn.Module):
    """A stem, stages of basic blocks, mean over the image, linear head on each step.

    The stem "cifar" is a 3x3 convolution; "imagenet" is a 7x7 convolution of stride 2, and after the neuron a
    pool of 3 with stride 2.

    Args:
        blocks: number of blocks of each stage; all but the first stage halve the image and double the channels.
        neuron, norm, in_channels, num_classes, residual_neuron: see the networks.
        width: channels of the stem and the first stage.
        stem: "cifar" for small images, "imagenet" for large ones.
        pool: pool of the imagenet stem: mean or maximum.
    """

    released_unused = ""

    def __init__(
        self,
        blocks: tuple[int, ...],
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None,
        *,
        width: int = 64,
        stem: Stem = "cifar",
        pool: StemPool = "avg",
    ) -> None:
        super().__init__()
        self.stem = resnet_stem(in_channels, width, stem, pool, neuron, norm)
        widths = [width, *(width << stage for stage in range(len(blocks)))]
        self.stages = nn.Sequential(
            *(
                residual_stage(c_in, c_out, count, 1 if stage == 0 else 2, neuron, norm, residual_neuron)
                for stage, (count, (c_in, c_out)) in enumerate(zip(blocks, pairwise(widths), strict=True))
            )
        )
        self.head = nn.Linear(widths[-1], num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in spikingjelly's model zoo, and of the ANN in torchvision."""
        return resnet_names(self.stages, OF_TORCHVISION)
