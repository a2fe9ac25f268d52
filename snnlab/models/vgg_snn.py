"""VGGSNN, the plain convolutional network of TET and TMC for event streams.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.image_size import check_image_size
from snnlab.layers.time import EachStep
from snnlab.ranges import HalfOpenFraction


class VGGSNN(nn.Module):
    """VGGSNN of TET and TMC: 3x3 convolutions in pairs, each pair ending in a pool, and one linear layer.

    Conv-norm-neuron for every entry of `channels`, a pool by 2 after every second one, then flatten and a
    linear head on each step (Deng et al. 2022, "Temporal efficient training", released code). Convolutions
    start from Kaiming's normal distribution (fan_out), as there. With the neuron `relu` it is an ANN.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        channels: output channels of the convolutions, in pairs that end in a pool.
        pool: avg | max | stride (every second convolution strides by 2). TET and TMC have avg; stride is woAP
            in TET.
        conv_bias: true: bias in the convolutions. True in TET and TMC, false in MPD-AGL and DS-ATGO.
        dropout: probability before the head, one mask for all steps; 0 in TET and TMC.

    Raises:
        ValueError: odd number of channels, or an image size that is not divisible by the pools.
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
        channels: tuple[int, ...] = (64, 128, 256, 256, 512, 512, 512, 512),
        pool: Literal["avg", "max", "stride"] = "avg",
        conv_bias: bool = True,
        dropout: HalfOpenFraction = 0.0,
    ) -> None:
        super().__init__()
        if not channels or len(channels) % 2:
            raise ValueError(f"channels of vgg_snn come in pairs, got {len(channels)}: {list(channels)}")
        factor = 2 ** (len(channels) // 2)
        check_image_size(image_size, f"vgg_snn with {len(channels)} convolutions", factor, "32, 48, 64, 128")
        layers: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(pairwise((in_channels, *channels))):
            ends_pair = i % 2 == 1
            stride = 2 if ends_pair and pool == "stride" else 1
            conv = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=conv_bias)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            layers += [EachStep(conv), norm(c_out), neuron()]
            if ends_pair and pool != "stride":
                layers.append(EachStep(nn.AvgPool2d(2) if pool == "avg" else nn.MaxPool2d(2)))
        self.convolutions, self.pooled = len(channels), pool != "stride"
        self.features = Layers(*layers)
        self.dropout = SharedDropout(dropout)
        self.head = nn.Linear(channels[-1] * (image_size // factor) ** 2, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.dropout(self.features(x_TBCHW).flatten(2)))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in the code of TET, and of TMC: pools are counted as layers, unless the convolutions stride."""
        names: list[str] = []
        for i in range(self.convolutions):
            at = i + (i // 2 if self.pooled else 0)
            names += [f"features.{at}.fwd.module.0", f"features.{at}.fwd.module.1"]
        return [*names, "classifier.module"]
