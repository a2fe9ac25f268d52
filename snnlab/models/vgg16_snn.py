"""VGG-16 with batch normalisation, as a spiking network or as an ANN.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from typing import Literal

from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.image_size import check_image_size
from snnlab.layers.time import EachStep
from snnlab.ranges import HalfOpenFraction, PositiveInt

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and number of the convolutions between two pools."""


class VGG16SNN(nn.Module):
    """VGG-16 as in QCFS and the mixed-timestep paper: 13 convolutions and two hidden linear layers, 15 neuron layers.

    conv-norm-neuron with 64, 64, 128, 128, 256 (3), 512 (3), 512 (3) channels, a pool by 2 after each size, then
    linear-neuron twice and a linear layer to the classes, all on each step. Convolutions have a bias, as there.
    Published for images of 32 and 224.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        hidden: width of the two hidden linear layers.
        pool: avg | max.
        dropout: probability before each linear layer but the first, one mask for all steps; 0 in QCFS.

    Raises:
        ValueError: the image size is not divisible by the pools.
    """

    released_unused = ""
    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        image_size: int,
        *,
        hidden: PositiveInt = 4096,
        pool: Literal["avg", "max"] = "avg",
        dropout: HalfOpenFraction = 0.0,
    ) -> None:
        super().__init__()
        factor = 2 ** len(STAGES)
        check_image_size(image_size, "vgg16_snn", factor, "32, 224")
        layers: list[nn.Module] = []
        channels = in_channels
        for c_out, count in STAGES:
            for _ in range(count):
                layers += [EachStep(nn.Conv2d(channels, c_out, 3, padding=1)), norm(c_out), neuron()]
                channels = c_out
            layers.append(EachStep(nn.AvgPool2d(2) if pool == "avg" else nn.MaxPool2d(2)))
        self.features = Layers(*layers)
        features = channels * (image_size // factor) ** 2
        self.head = nn.Sequential(
            nn.Linear(features, hidden),
            neuron(),
            SharedDropout(dropout),
            nn.Linear(hidden, hidden),
            neuron(),
            SharedDropout(dropout),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.features(x_TBCHW).flatten(2))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names of spikingjelly's spiking_vgg16_bn and torchvision's vgg16_bn, for images of 224 and pool=max."""
        names: list[str] = []
        at = 0
        for _, count in STAGES:
            for _ in range(count):
                names += [f"features.{at}", f"features.{at + 1}"]
                at += 3
            at += 1
        return [*names, "classifier.0", "classifier.3", "classifier.6"]
