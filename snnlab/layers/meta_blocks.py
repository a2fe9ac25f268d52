"""The two blocks of Meta-SpikeFormer: convolutions, or self-attention with convolutions as projections.

Shape suffixes: T time steps, B samples, C channels, H height, W width, N tokens.
"""

from torch import Tensor, nn

from snnlab.layers.attention import attend
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.membrane_attention import membrane_mlp
from snnlab.layers.padded_conv import PaddedConv
from snnlab.layers.residual import conv3x3
from snnlab.layers.time import EachStep


class MetaConvBlock(nn.Module):
    """x + separable convolution, then x + two 3x3 convolutions; neurons first: x_TBCHW -> [T, B, C, H, W].

    The separable convolution is neuron-conv1x1-norm to twice the channels, neuron, depth-wise conv7x7 without norm,
    conv1x1-norm back.

    Args:
        channels: number of channels, C.
        ratio: hidden channels between the 3x3 convolutions, over C.
        neuron, norm: factories of the layers.
    """

    def __init__(self, channels: int, ratio: int, neuron: NeuronFactory, norm: NormFactory) -> None:
        super().__init__()
        wide, hidden = 2 * channels, ratio * channels
        self.separable = Layers(
            neuron(),
            EachStep(nn.Conv2d(channels, wide, 1, bias=False)),
            norm(wide),
            neuron(),
            EachStep(nn.Conv2d(wide, wide, 7, padding=3, groups=wide, bias=False)),
            EachStep(nn.Conv2d(wide, channels, 1, bias=False)),
            norm(channels),
        )
        self.convs = Layers(
            neuron(),
            conv3x3(channels, hidden),
            norm(hidden),
            neuron(),
            conv3x3(hidden, channels),
            norm(channels),
        )

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        x_TBCHW = x_TBCHW + self.separable(x_TBCHW)
        y_TBCHW: Tensor = x_TBCHW + self.convs(x_TBCHW)
        return y_TBCHW


class MetaAttention(nn.Module):
    """norm(conv(neuron(scale Q K^T V))), Q, K and V spikes computed by convolutions from neuron(x), over the pixels.

    x_TBCHW -> currents [T, B, C, H, W]; the convolutions are `PaddedConv`, each followed by a further norm.

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
        self.q = Layers(PaddedConv(dim, norm), norm(dim), neuron())
        self.k = Layers(PaddedConv(dim, norm), norm(dim), neuron())
        self.v = Layers(PaddedConv(dim, norm), norm(dim), neuron())
        self.neuron = neuron(threshold=threshold)
        self.out = nn.Sequential(PaddedConv(dim, norm), norm(dim))

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        spikes_TBCHW = self.first(x_TBCHW)
        q_TBCN, k_TBCN, v_TBCN = (p(spikes_TBCHW).flatten(3) for p in (self.q, self.k, self.v))
        y_TBCN = self.neuron(attend(q_TBCN, k_TBCN, v_TBCN, self.heads, self.scale))
        out_TBCHW: Tensor = self.out(y_TBCN.unflatten(3, x_TBCHW.shape[3:]))
        return out_TBCHW


class MetaAttentionBlock(nn.Module):
    """x + attention(x), then x + mlp(x), with sums of membrane inputs: x_TBCHW -> [T, B, C, H, W].

    Args:
        dim, heads, scale, threshold, neuron, norm: see `MetaAttention`.
        ratio: hidden channels of the MLP, over dim.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        ratio: int,
        scale: float,
        threshold: float,
        neuron: NeuronFactory,
        norm: NormFactory,
    ) -> None:
        super().__init__()
        self.attention = MetaAttention(dim, heads, scale, threshold, neuron, norm)
        self.mlp = membrane_mlp(dim, ratio * dim, neuron, norm)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        x_TBCHW = x_TBCHW + self.attention(x_TBCHW)
        mlp_TBCN = self.mlp(x_TBCHW.flatten(3))
        y_TBCHW: Tensor = x_TBCHW + mlp_TBCN.unflatten(3, x_TBCHW.shape[3:])
        return y_TBCHW
