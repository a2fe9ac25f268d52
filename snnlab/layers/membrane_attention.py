"""Spiking self-attention with membrane shortcuts and the block around it, as in Spikingformer.

Shape suffixes: T time steps, B samples, C channels, N tokens.
"""

from torch import Tensor, nn

from snnlab.layers.attention import attend, project
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.time import EachStep


def linear_and_norm(c_in: int, c_out: int, norm: NormFactory) -> list[nn.Module]:
    """Returns a 1x1 convolution with bias over the channels of x_TBCN, and its norm."""
    return [EachStep(nn.Conv1d(c_in, c_out, 1)), norm(c_out)]


class MembraneAttention(nn.Module):
    """norm(W neuron(scale Q K^T V)), Q, K and V spikes computed from neuron(x): x_TBCN -> currents [T, B, C, N].

    Zhou et al. 2023, "Spikingformer". Unlike in Spikformer the branch begins with a neuron and ends with a norm, so
    that the shortcut around it adds membrane inputs.

    Args:
        dim, heads: number of channels, and of heads among which they are divided.
        scale: factor of the attention's output.
        threshold: threshold of the neuron after the attention.
        neuron, norm: factories of the layers.
    """

    def __init__(
        self, dim: int, heads: int, scale: float, threshold: float, neuron: NeuronFactory, norm: NormFactory
    ) -> None:
        super().__init__()
        self.heads = heads
        self.scale = scale
        self.first = neuron()
        self.q = project("conv", dim, dim, False, neuron, norm)
        self.k = project("conv", dim, dim, False, neuron, norm)
        self.v = project("conv", dim, dim, False, neuron, norm)
        self.neuron = neuron(threshold=threshold)
        self.out = nn.Sequential(*linear_and_norm(dim, dim, norm))

    def forward(self, x_TBCN: Tensor) -> Tensor:
        spikes_TBCN = self.first(x_TBCN)
        q_TBCN, k_TBCN, v_TBCN = self.q(spikes_TBCN), self.k(spikes_TBCN), self.v(spikes_TBCN)
        out_TBCN: Tensor = self.out(self.neuron(attend(q_TBCN, k_TBCN, v_TBCN, self.heads, self.scale)))
        return out_TBCN


def membrane_mlp(dim: int, hidden: int, neuron: NeuronFactory, norm: NormFactory) -> nn.Sequential:
    """Returns neuron-linear-norm twice, dim to hidden and back: x_TBCN -> currents [T, B, C, N]."""
    return Layers(
        neuron(), *linear_and_norm(dim, hidden, norm), neuron(), *linear_and_norm(hidden, dim, norm)
    )


class MembraneBlock(nn.Module):
    """x + attention(x), then x + mlp(x), with sums of membrane inputs: x_TBCN -> [T, B, C, N].

    Args:
        dim, heads, scale, threshold, neuron, norm: see `MembraneAttention`.
        mlp_ratio: hidden channels of the MLP, over dim.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp_ratio: int,
        scale: float,
        threshold: float,
        neuron: NeuronFactory,
        norm: NormFactory,
    ) -> None:
        super().__init__()
        self.attention = MembraneAttention(dim, heads, scale, threshold, neuron, norm)
        self.mlp = membrane_mlp(dim, mlp_ratio * dim, neuron, norm)

    def forward(self, x_TBCN: Tensor) -> Tensor:
        x_TBCN = x_TBCN + self.attention(x_TBCN)
        y_TBCN: Tensor = x_TBCN + self.mlp(x_TBCN)
        return y_TBCN
