"""Spiking self-attention and the block around it, as in Spikformer.

Shape suffixes: T time steps, B samples, C channels, N tokens, h heads, D channels of one head.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.time import EachStep

Projection = Literal["linear", "conv"]


class TokenLinear(nn.Linear):
    """A linear layer over the channels of x_TBCN."""

    def forward(self, x_TBCN: Tensor) -> Tensor:
        return F.linear(x_TBCN.transpose(-1, -2), self.weight, self.bias).transpose(-1, -2)


def project(
    kind: Projection, c_in: int, c_out: int, bias: bool, neuron: NeuronFactory, norm: NormFactory
) -> nn.Sequential:
    """Projects the channels of every token of x_TBCN, followed by norm and neuron."""
    linear = kind == "linear"
    layer = TokenLinear(c_in, c_out, bias) if linear else EachStep(nn.Conv1d(c_in, c_out, 1, bias=bias))
    return Layers(layer, norm(c_out), neuron())


def attend(q_TBCN: Tensor, k_TBCN: Tensor, v_TBCN: Tensor, heads: int, scale: float) -> Tensor:
    """Returns scale Q K^T V of every head, without softmax: [T, B, C, N].

    It is computed as Q (K^T V), which is equal as there is no softmax in between, and cheaper if there are more tokens
    than channels per head.
    """
    q_TBhDN, k_TBhDN, v_TBhDN = (by_head(p_TBCN, heads) for p_TBCN in (q_TBCN, k_TBCN, v_TBCN))
    y_TBhDN = (v_TBhDN @ k_TBhDN.mT) @ q_TBhDN * scale
    return y_TBhDN.flatten(2, 3)


def by_head(x_TBCN: Tensor, heads: int) -> Tensor:
    """Divides the channels among the heads: [T, B, C, N] -> [T, B, h, D, N]."""
    x_TBhDN: Tensor = x_TBCN.unflatten(2, (heads, -1))  # type: ignore[no-untyped-call]  # untyped in torch
    return x_TBhDN


class SpikingSelfAttention(nn.Module):
    """Attention without softmax: out(neuron(scale Q K^T V)) with spikes Q, K, V; x_TBCN -> x_TBCN.

    Zhou et al. 2023, "Spikformer", Eq. 6 to 8.

    Args:
        dim, heads: number of channels, and of heads among which they are divided.
        scale: factor of the attention's output.
        threshold: threshold of the neuron after the attention.
        kind, neuron, norm: as in `project`; queries, keys and values have a bias if kind is "linear".
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        scale: float,
        threshold: float,
        kind: Projection,
        neuron: NeuronFactory,
        norm: NormFactory,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.scale = scale
        self.q = project(kind, dim, dim, kind == "linear", neuron, norm)
        self.k = project(kind, dim, dim, kind == "linear", neuron, norm)
        self.v = project(kind, dim, dim, kind == "linear", neuron, norm)
        self.neuron = neuron(threshold=threshold)
        self.out = project(kind, dim, dim, True, neuron, norm)

    def forward(self, x_TBCN: Tensor) -> Tensor:
        y_TBCN = attend(self.q(x_TBCN), self.k(x_TBCN), self.v(x_TBCN), self.heads, self.scale)
        out_TBCN: Tensor = self.out(self.neuron(y_TBCN))
        return out_TBCN


class SpikformerBlock(nn.Module):
    """x + attention(x), then x + mlp(x), each branch with spikes as output; x_TBCN -> x_TBCN."""

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp_ratio: int,
        scale: float,
        threshold: float,
        kind: Projection,
        neuron: NeuronFactory,
        norm: NormFactory,
    ) -> None:
        super().__init__()
        self.attention = SpikingSelfAttention(dim, heads, scale, threshold, kind, neuron, norm)
        self.mlp = nn.Sequential(
            project(kind, dim, mlp_ratio * dim, True, neuron, norm),
            project(kind, mlp_ratio * dim, dim, True, neuron, norm),
        )

    def forward(self, x_TBCN: Tensor) -> Tensor:
        x_TBCN = x_TBCN + self.attention(x_TBCN)
        y_TBCN: Tensor = x_TBCN + self.mlp(x_TBCN)
        return y_TBCN
