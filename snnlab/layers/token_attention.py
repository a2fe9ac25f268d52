"""QKFormer's token attention: queries decide which tokens of the keys pass; and the block around an attention.

Shape suffixes: T time steps, B samples, C channels, N tokens, h heads, D channels of one head.
"""

from torch import Tensor, nn

from snnlab.layers.attention import by_head, project
from snnlab.layers.factory import NeuronFactory, NormFactory


class TokenAttention(nn.Module):
    """out(a K), where a is a spike for each head and token: neuron(sum of Q over the head's channels).

    Zhou et al. 2024, "QKFormer", linear in the number of tokens: x_TBCN -> spikes [T, B, C, N].

    Args:
        dim, heads: number of channels, and of heads among which they are divided.
        threshold: threshold of the neuron that decides on tokens.
        neuron, norm: factories of the layers.
    """

    def __init__(
        self, dim: int, heads: int, threshold: float, neuron: NeuronFactory, norm: NormFactory
    ) -> None:
        super().__init__()
        self.heads = heads
        self.q = project("conv", dim, dim, False, neuron, norm)
        self.k = project("conv", dim, dim, False, neuron, norm)
        self.neuron = neuron(threshold=threshold)
        self.out = project("conv", dim, dim, True, neuron, norm)

    def forward(self, x_TBCN: Tensor) -> Tensor:
        q_TBhDN, k_TBhDN = (by_head(p(x_TBCN), self.heads) for p in (self.q, self.k))
        passes_TBhN = self.neuron(q_TBhDN.sum(3))
        y_TBCN: Tensor = self.out((passes_TBhN.unsqueeze(3) * k_TBhDN).flatten(2, 3))
        return y_TBCN


class AttentionBlock(nn.Module):
    """x + attention(x), then x + mlp(x), each branch with spikes as output; x_TBCN -> [T, B, C, N].

    Args:
        attention: x_TBCN to spikes [T, B, C, N].
        dim: number of channels.
        mlp_ratio: hidden channels of the MLP, over dim.
        neuron, norm: factories of the layers.
    """

    def __init__(
        self, attention: nn.Module, dim: int, mlp_ratio: int, neuron: NeuronFactory, norm: NormFactory
    ) -> None:
        super().__init__()
        self.attention = attention
        self.mlp = nn.Sequential(
            project("conv", dim, mlp_ratio * dim, True, neuron, norm),
            project("conv", mlp_ratio * dim, dim, True, neuron, norm),
        )

    def forward(self, x_TBCN: Tensor) -> Tensor:
        x_TBCN = x_TBCN + self.attention(x_TBCN)
        y_TBCN: Tensor = x_TBCN + self.mlp(x_TBCN)
        return y_TBCN
