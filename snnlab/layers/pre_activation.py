"""The residual block with neurons before its convolutions, whose shortcuts carry membrane inputs.

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.residual import conv3x3, summed
from snnlab.layers.time import EachStep


class PreActivationBlock(nn.Module):
    """neuron-conv-norm-neuron-conv-norm, plus the input: x_TBCHW -> [T, B, C', H', W'], not spikes.

    The addition is of membrane inputs, never of spikes. The shortcut is the identity, or, if the shape changes, a 1x1
    convolution and a norm of the input before its neuron (MS-ResNet; TWD's ResNet-34).

    Args:
        c_in, c_out: input and output channels.
        stride: stride of the first convolution and of the shortcut.
        neuron, norm: factories of the layers.
        bias: whether the convolutions have a bias.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        stride: int,
        neuron: NeuronFactory,
        norm: NormFactory,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.body = Layers(
            neuron(),
            conv3x3(c_in, c_out, stride, bias),
            norm(c_out),
            neuron(),
            conv3x3(c_out, c_out, 1, bias),
            norm(c_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride=stride, bias=bias)
            self.shortcut = nn.Sequential(EachStep(conv), norm(c_out))

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        return summed(self.body(x_TBCHW), self.shortcut(x_TBCHW))


def pre_activation_stage(
    c_in: int,
    c_out: int,
    blocks: int,
    stride: int,
    neuron: NeuronFactory,
    norm: NormFactory,
    bias: bool = False,
) -> nn.Sequential:
    """Returns a sequence of pre-activation blocks; the first one changes the channels and has the stride."""
    first = PreActivationBlock(c_in, c_out, stride, neuron, norm, bias)
    rest = (PreActivationBlock(c_out, c_out, 1, neuron, norm, bias) for _ in range(1, blocks))
    return nn.Sequential(first, *rest)
