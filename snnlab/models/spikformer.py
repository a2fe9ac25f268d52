"""Spikformer, the spiking vision transformer.

Shape suffixes: T time steps, B samples, C channels, H height, W width, N tokens, K classes.
"""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from snnlab.layers.attention import SpikformerBlock
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.image_size import check_image_size
from snnlab.layers.residual import conv3x3
from snnlab.layers.time import EachStep
from snnlab.ranges import Positive, PositiveInt


class Spikformer(nn.Module):
    """Spikformer of Zhou et al. 2023: a convolutional tokenizer, spiking self-attention, a head on each step.

    Tokenizer: four times conv3x3-norm-neuron with dim / 8, dim / 4, dim / 2, dim channels, some of them
    followed by a max pool (3, stride 2); a conv3x3-norm-neuron of the map is added to it as relative
    position. Then `depth` blocks, the mean over tokens, and the linear head on every step (the released code
    averages over time before the head, which gives the same mean logits). The LayerNorms and the position
    embedding that the released files declare and never use are left out. Published, with the neuron lif (tau
    2, decay_input, detach_reset):

        CIFAR 4-384     the defaults
        DVS 2-256       depth 2, dim 256, heads 16, pools (1, 2, 3, 4), projection "conv", scale 0.25
        ImageNet 8-512  depth 8, dim 512, heads 8, pools (1, 2, 3, 4), projection "conv"

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        depth: number of blocks.
        dim: channels of a token, a multiple of 8 and of heads.
        heads: heads of the attention.
        mlp_ratio: hidden channels of the block's MLP, over dim.
        pools: stages of the tokenizer (1 to 4) that end in a max pool.
        projection: linear (queries, keys, values with bias) | conv (1x1, without bias). The weights of
            "linear" come from a truncated normal of standard deviation 0.02, those of "conv" are PyTorch's
            initial ones.
        scale: factor of the attention's output.
        attention_threshold: threshold of the neuron behind the attention, whatever that of the others.

    Raises:
        ValueError: dim is not divisible, a pool is not a stage, or the image size is not divisible by the pools.
    """

    released_unused = r"(block\.\d+\.norm[12]|norm)\.(weight|bias)|pos_embed"

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
        projection: Literal["linear", "conv"] = "linear",
        scale: Positive = 0.125,
        attention_threshold: Positive = 0.5,
    ) -> None:
        super().__init__()
        if dim % 8 or dim % heads:
            raise ValueError(f"dim of spikformer must be a multiple of 8 and of heads ({heads}), not {dim}")
        if not set(pools) <= {1, 2, 3, 4}:
            raise ValueError(f"pools of spikformer are stages of the tokenizer, 1 to 4, not {list(pools)}")
        factor = 2 ** len(set(pools))
        check_image_size(
            image_size,
            f"spikformer with {len(set(pools))} pools",
            factor,
            "32 with 2 pools, 128 and 224 with 4",
        )
        stages: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(
            pairwise((in_channels, dim // 8, dim // 4, dim // 2, dim)), start=1
        ):
            stages += [conv3x3(c_in, c_out), norm(c_out), neuron()]
            if i in pools:
                stages.append(EachStep(nn.MaxPool2d(3, stride=2, padding=1)))
        self.tokenizer = Layers(*stages)
        self.projection = projection
        self.position = Layers(conv3x3(dim, dim), norm(dim), neuron())
        self.blocks = nn.Sequential(
            *(
                SpikformerBlock(dim, heads, mlp_ratio, scale, attention_threshold, projection, neuron, norm)
                for _ in range(depth)
            )
        )
        self.head = nn.Linear(dim, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        map_TBCHW = self.tokenizer(x_TBCHW)
        tokens_TBCN = (map_TBCHW + self.position(map_TBCHW)).flatten(3)
        logits_TBK: Tensor = self.head(self.blocks(tokens_TBCN).mean(3))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in ZK-Zhou/spikformer, whose layers are called `linear` for CIFAR and `conv` elsewhere."""
        return self._names([f"proj_{part}{i or ''}" for i in range(4) for part in ("conv", "bn")])

    def other_released_names(self) -> list[list[str]]:
        """The names in the file model.py beside its folders."""
        return [self._names([f"block{i}_{part}" for i in range(1, 5) for part in ("conv", "bn")])]

    def _names(self, tokenizer: list[str]) -> list[str]:
        """The names of all layers, given those of the tokenizer."""
        kind = self.projection
        names = [f"patch_embed.{layer}" for layer in tokenizer]
        names += ["patch_embed.rpe_conv", "patch_embed.rpe_bn"]
        for i in range(len(self.blocks)):
            for layer in ("attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"):
                names += [f"block.{i}.{layer}_{kind}", f"block.{i}.{layer}_bn"]
        return [*names, "head"]
