"""The residual blocks of spiking ResNets: the neuron after the addition, or before it (SEW).

Shape suffixes: T time steps, B samples, C channels, H height, W width.
"""

from torch import Tensor, nn

from snnlab.errors import SnnlabError
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers, norm_and_neuron, run
from snnlab.layers.time import EachStep


class ResidualBlock(nn.Module):
    """conv-norm-neuron-conv-norm, plus the input, then a neuron: x_TBCHW -> spikes [T, B, C', H', W'].

    The shortcut is the identity, or a 1x1 convolution and a norm if the shape changes (as in TET, TMC and TWD).

    Args:
        c_in, c_out: input and output channels.
        stride: stride of the first convolution and of the shortcut.
        neuron, norm: factories of the layers.
        residual_neuron: factory of the neuron after the addition; None: `neuron`.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        stride: int,
        neuron: NeuronFactory,
        norm: NormFactory,
        residual_neuron: NeuronFactory | None = None,
    ) -> None:
        super().__init__()
        self.body = Layers(
            conv3x3(c_in, c_out, stride), norm(c_out), neuron(), conv3x3(c_out, c_out), norm(c_out)
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(EachStep(conv), norm(c_out))
        self.neuron = neuron() if residual_neuron is None else residual_neuron()

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        *layers, norm = self.body
        return norm_and_neuron(norm, self.neuron, run(layers, x_TBCHW), self.shortcut(x_TBCHW))


class SEWBlock(nn.Module):
    """conv-norm-neuron twice, plus the input, and no neuron after it: x_TBCHW -> [T, B, C', H', W'].

    The sum of spikes is 0, 1, 2, ... (Fang et al. 2021, "Deep residual learning in spiking neural networks", with
    the connect function ADD). The shortcut is the identity, or a 1x1 convolution, a norm and a neuron where the
    shape changes.

    Args:
        c_in, c_out: input and output channels.
        stride: stride of the first convolution and of the shortcut.
        neuron, norm: factories of the layers.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, neuron: NeuronFactory, norm: NormFactory) -> None:
        super().__init__()
        self.body = Layers(
            conv3x3(c_in, c_out, stride), norm(c_out), neuron(), conv3x3(c_out, c_out), norm(c_out), neuron()
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)
            self.shortcut = Layers(EachStep(conv), norm(c_out), neuron())

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        return summed(self.body(x_TBCHW), self.shortcut(x_TBCHW))


def summed(a_T: Tensor, b_T: Tensor) -> Tensor:
    """Returns a_T + b_T [T, ...] where no neuron follows that would align their time steps; one step fits any number.

    Raises:
        SnnlabError: they have different numbers of time steps, as layers of a converted network may.
    """
    if isinstance(a_T, Tensor) and isinstance(b_T, Tensor) and 1 != len(a_T) != len(b_T) != 1:
        raise SnnlabError(
            f"this network adds signals of {len(a_T)} and {len(b_T)} time steps with no neuron behind the addition, "
            "and only a neuron aligns them",
            "neuron.averaged=spikes neuron.equal=average adds means; in resnet18_snn, 20 and 34 neurons follow",
        )
    return a_T + b_T


def conv3x3(c_in: int, c_out: int, stride: int = 1, bias: bool = False) -> nn.Module:
    """Returns a 3x3 convolution that runs on every time step."""
    return EachStep(nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=bias))


def residual_stage(
    c_in: int,
    c_out: int,
    blocks: int,
    stride: int,
    neuron: NeuronFactory,
    norm: NormFactory,
    residual_neuron: NeuronFactory | None = None,
) -> nn.Sequential:
    """Returns a sequence of residual blocks; the first one changes the channels and has the stride."""
    return nn.Sequential(
        ResidualBlock(c_in, c_out, stride, neuron, norm, residual_neuron),
        *(ResidualBlock(c_out, c_out, 1, neuron, norm, residual_neuron) for _ in range(1, blocks)),
    )


def sew_stage(
    c_in: int, c_out: int, blocks: int, stride: int, neuron: NeuronFactory, norm: NormFactory
) -> nn.Sequential:
    """Returns a sequence of SEW blocks; the first one changes the channels and has the stride."""
    first = SEWBlock(c_in, c_out, stride, neuron, norm)
    return nn.Sequential(first, *(SEWBlock(c_out, c_out, 1, neuron, norm) for _ in range(1, blocks)))
