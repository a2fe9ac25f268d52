"""The four-layer network for touch: two convolutions and two linear layers.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from itertools import pairwise

from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.time import EachStep
from snnlab.ranges import HalfOpenFraction, PositiveInt


class TouchSNN(nn.Module):
    """A small network for small pictures, such as the taxels of a finger: conv, conv, linear, linear.

    Norm and neuron follow each 3x3 convolution, and an average pool by 2 the first ones; norm and neuron follow
    the hidden linear layer, too, and the last one gives the logits of each step. The circulate-firing paper has
    a "4-layer CNN" for touch and says no more, so all sizes are choices made here: with the defaults 228,900
    parameters for 36 classes on 11 x 11 pixels.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the picture is square.
        channels: output channels of the convolutions; more than two make the network deeper.
        pools: an average pool by 2 follows so many of the convolutions, from the first.
        hidden: width of the hidden linear layer.
        dropout: probability before the hidden layer, one mask for all steps.

    Raises:
        ValueError: the image is too small for the pools.
    """

    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        image_size: int,
        *,
        channels: tuple[int, ...] = (32, 64),
        pools: PositiveInt = 1,
        hidden: PositiveInt = 128,
        dropout: HalfOpenFraction = 0.0,
    ) -> None:
        super().__init__()
        size = image_size >> min(pools, len(channels))
        if not channels or size == 0:
            raise ValueError(
                f"image_size {image_size} does not fit touch_snn with {len(channels)} convolutions and "
                f"{pools} pools"
            )
        layers: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(pairwise((in_channels, *channels))):
            conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            layers += [EachStep(conv), norm(c_out), neuron()]
            if i < pools:
                layers.append(EachStep(nn.AvgPool2d(2)))
        self.features = Layers(*layers)
        self.dropout = SharedDropout(dropout)
        self.hidden = nn.Linear(channels[-1] * size**2, hidden, bias=False)
        self.hidden_norm, self.hidden_neuron = norm(hidden), neuron()
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        x_TBF = self.dropout(self.features(x_TBCHW).flatten(2))
        x_TBF = self.hidden_neuron(self.hidden_norm(self.hidden(x_TBF)))
        logits_TBK: Tensor = self.head(x_TBF)
        return logits_TBK
