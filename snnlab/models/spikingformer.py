"""Spikingformer, a spiking vision transformer whose shortcuts carry membrane inputs.

Shape suffixes: T time steps, B samples, C channels, H height, W width, N tokens, K classes.
"""

from itertools import pairwise

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.image_size import check_image_size
from snnlab.layers.linear_head import linear_head
from snnlab.layers.membrane_attention import MembraneBlock
from snnlab.layers.residual import conv3x3
from snnlab.layers.time import EachStep
from snnlab.ranges import Positive, PositiveInt


class Spikingformer(nn.Module):
    """Spikingformer of Zhou et al. 2023: Spikformer with a neuron first in every branch, a head on each step.

    Tokenizer: conv3x3-norm to dim / 8 channels, then four times neuron-conv3x3-norm with dim / 4, dim / 2, dim and dim
    channels, with a max pool (3, stride 2) between some of the neurons and their convolutions. Then `depth` blocks on
    membrane inputs, their mean over tokens without a neuron before it, and the linear head on every step (the released
    code averages over time before the head, which gives the same mean logits). The LayerNorms and the DropPath that
    the released files declare and never use are left out. Published, with the neuron lif (tau 2, decay_input,
    detach_reset):

        CIFAR 4-384    the defaults for CIFAR-10; heads 8 for CIFAR-100
        CIFAR 2-384    depth 2
        DVS 2-256      depth 2, dim 256, heads 16, pools (1, 2, 3, 4), neuron.tau 1.5
        ImageNet 8-512 depth 8, dim 512, heads 8, pools (1, 2, 3, 4)

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        depth: number of blocks.
        dim: channels of a token, a multiple of 8 and of heads.
        heads: heads of the attention.
        mlp_ratio: hidden channels of the block's MLP, over dim.
        pools: stages of the tokenizer (1 to 4) with a max pool behind their neuron.
        scale: factor of the attention's output.
        attention_threshold: threshold of the neuron behind the attention, whatever that of the others.

    Raises:
        ValueError: dim is not divisible, a pool is not a stage, or the image size is not divisible by the pools.
    """

    released_unused = r"block\.\d+\.norm[12]\.(weight|bias)"

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        image_size: int,
        *,
        depth: PositiveInt = 4,
        dim: PositiveInt = 384,
        heads: PositiveInt = 12,
        mlp_ratio: PositiveInt = 4,
        pools: tuple[int, ...] = (3, 4),
        scale: Positive = 0.125,
        attention_threshold: Positive = 0.5,
    ) -> None:
        super().__init__()
        if dim % 8 or dim % heads:
            raise ValueError(
                f"dim of spikingformer must be a multiple of 8 and of heads ({heads}), not {dim}"
            )
        if not set(pools) <= {1, 2, 3, 4}:
            raise ValueError(f"pools of spikingformer are stages of the tokenizer, 1 to 4, not {list(pools)}")
        factor = 2 ** len(set(pools))
        check_image_size(
            image_size, f"spikingformer with {len(set(pools))} pools", factor, "32 with 2 pools, 128 with 4"
        )
        widths = (dim // 8, dim // 4, dim // 2, dim, dim)
        layers: list[nn.Module] = [conv3x3(in_channels, widths[0]), norm(widths[0])]
        for i, (c_in, c_out) in enumerate(pairwise(widths), start=1):
            layers.append(neuron())
            if i in pools:
                layers.append(EachStep(nn.MaxPool2d(3, stride=2, padding=1)))
            layers += [conv3x3(c_in, c_out), norm(c_out)]
        self.tokenizer = Layers(*layers)
        self.blocks = nn.Sequential(
            *(
                MembraneBlock(dim, heads, mlp_ratio, scale, attention_threshold, neuron, norm)
                for _ in range(depth)
            )
        )
        self.head = linear_head(dim, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        tokens_TBCN = self.tokenizer(x_TBCHW).flatten(3)
        logits_TBK: Tensor = self.head(self.blocks(tokens_TBCN).mean(3))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in zhouchenlin2096/Spikingformer, folders cifar10 and cifar100."""
        return self._names([f"block{i}" for i in range(5)])

    def other_released_names(self) -> list[list[str]]:
        """The names in its folders imagenet, cifar10-dvs and dvs128-gesture."""
        return [self._names([f"proj{i or ''}" for i in range(5)])]

    def _names(self, tokenizer: list[str]) -> list[str]:
        """The names of all layers, given those of the tokenizer's stages."""
        names = [f"patch_embed.{stage}_{part}" for stage in tokenizer for part in ("conv", "bn")]
        for i in range(len(self.blocks)):
            for layer in ("attn.q", "attn.k", "attn.v", "attn.proj", "mlp.mlp1", "mlp.mlp2"):
                names += [f"block.{i}.{layer}_conv", f"block.{i}.{layer}_bn"]
        return [*names, "head"]
