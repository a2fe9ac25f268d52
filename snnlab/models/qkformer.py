"""QKFormer, the hierarchical spiking transformer with token attention.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from typing import Literal

from torch import Tensor, nn

from snnlab.layers.attention import SpikingSelfAttention
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.image_size import check_image_size
from snnlab.layers.linear_head import linear_head
from snnlab.layers.token_attention import AttentionBlock, TokenAttention
from snnlab.layers.two_way_embedding import Step, TwoWayEmbedding
from snnlab.ranges import Positive, PositiveInt

Data = Literal["cifar", "dvs", "imagenet"]


class QKFormer(nn.Module):
    """QKFormer of Zhou et al. 2024: stages of patch embedding and attention blocks, a head on each step.

    The number of channels doubles and the image halves from one stage to the next. Blocks of all stages but the last
    have token attention, whose cost is linear in the number of tokens; those of the last have spiking self-attention.
    Every branch ends in a neuron, so that all sums are integers; a pool stands between norm and neuron. Then the mean
    over tokens, and the linear head on every step (the released code averages over time before the head, which gives
    the same mean logits; TMC's fork has it on each step). Published, with the neuron lif (tau 2, decay_input,
    detach_reset):

        CIFAR 4-384             the defaults
        CIFAR10-DVS             stem "dvs", depths (1, 1), dim 256, heads 16, mlp_ratio 1 (DVS128-Gesture: 4)
        ImageNet HST-10-384     stem "imagenet", depths (1, 2, 7), dim 384, heads 6
        ImageNet HST-10-512     the same, dim 512, heads 8
        ImageNet HST-10-768     the same, dim 768, heads 12

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, image_size: of the data; the image is square.
        stem: patch embedding: cifar (the first keeps the image's size) | imagenet (it quarters it) | dvs (three pools).
        depths: number of blocks in each stage.
        dim: channels of a token in the last stage, halved towards the first, where it is a multiple of 8.
        heads: heads of the attention, the same in all stages.
        mlp_ratio: hidden channels of the block's MLP, over the stage's channels.
        scale: factor of the self-attention's output.
        attention_threshold: threshold of the neurons inside the attention, whatever that of the others.

    Raises:
        ValueError: no stage, dim is not divisible, or the image size is not divisible by the pools.
    """

    released_unused = ""

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        image_size: int,
        *,
        stem: Data = "cifar",
        depths: tuple[int, ...] = (1, 1, 2),
        dim: PositiveInt = 384,
        heads: PositiveInt = 8,
        mlp_ratio: PositiveInt = 4,
        scale: Positive = 0.125,
        attention_threshold: Positive = 0.5,
    ) -> None:
        super().__init__()
        if not depths or min(depths) < 1:
            raise ValueError(f"depths of qkformer are numbers of blocks above 0, not {list(depths)}")
        halvings = len(depths) - 1
        first = dim >> halvings
        if dim % (8 << halvings) or first % heads:
            raise ValueError(
                f"dim {dim} of qkformer does not fit: in the first of {len(depths)} stages, dim / {1 << halvings} must "
                f"be a multiple of 8 and of heads ({heads})"
            )
        factor = {"cifar": 1, "imagenet": 4, "dvs": 8}[stem] << halvings
        check_image_size(
            image_size,
            f"qkformer with stem={stem} and {len(depths)} stages",
            factor,
            "32 for cifar, 128 for dvs, 224 and 384 for imagenet",
        )
        stages: list[nn.Module] = []
        for i, depth in enumerate(depths):
            width = first << i
            if i == 0:
                embedding = TwoWayEmbedding(in_channels, *_first_steps(stem, width), neuron, norm)
            else:
                steps = (Step(width, stem == "imagenet"), Step(width, stem != "imagenet"))
                embedding = TwoWayEmbedding(width // 2, (), steps, neuron, norm)
            blocks: list[nn.Module] = []
            for _ in range(depth):
                attention = (
                    TokenAttention(width, heads, attention_threshold, neuron, norm)
                    if i < halvings
                    else SpikingSelfAttention(width, heads, scale, attention_threshold, "conv", neuron, norm)
                )
                blocks.append(AttentionBlock(attention, width, mlp_ratio, neuron, norm))
            stages.append(Stage(embedding, blocks))
        self.released_stem, self.depths = stem, depths
        self.stages = nn.Sequential(*stages)
        self.head = linear_head(dim, num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(x_TBCHW).mean((3, 4)))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in zhouchenlin2096/QKFormer, which differ a little between its three folders."""
        large, last = self.released_stem == "imagenet", len(self.depths)
        first = {"cifar": 2, "imagenet": 3, "dvs": 4}[self.released_stem]
        names: list[str] = []
        for i, depth in enumerate(self.depths, start=1):
            convs = [f"proj{n or ''}" for n in range(first)]
            if i > 1:
                convs = ["proj" if self.released_stem == "dvs" else "proj3", "proj4"]
            names += [
                f"patch_embed{i}.{conv}_{part}" for conv in (*convs, "proj_res") for part in ("conv", "bn")
            ]
            attention = "tssa" if i < last else "attn" if large else "ssa"
            parts = ("q", "k", "proj") if i < last else ("q", "k", "v", "proj")
            layers = [f"{attention}.{part}" for part in parts]
            layers += ["mlp.fc1", "mlp.fc2"] if large else ["mlp.mlp1", "mlp.mlp2"]
            for block in range(depth):
                for layer in layers:
                    names += [f"stage{i}.{block}.{layer}_conv", f"stage{i}.{block}.{layer}_bn"]
        return [*names, "head"]


class Stage(nn.Module):
    """A patch embedding, and blocks on its pixels as tokens: x_TBCHW -> [T, B, C', H', W']."""

    def __init__(self, embedding: nn.Module, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.embedding = embedding
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        map_TBCHW = self.embedding(x_TBCHW)
        y_TBCHW: Tensor = self.blocks(map_TBCHW.flatten(3)).unflatten(3, map_TBCHW.shape[3:])
        return y_TBCHW


def _first_steps(stem: Data, width: int) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Returns the steps of the first embedding in front of both paths, and of its main path."""
    if stem == "cifar":
        return (Step(width // 2),), (Step(width),)
    if stem == "imagenet":
        return (Step(width // 2, pool=True),), (Step(width, pool=True), Step(width))
    return (Step(width // 8), Step(width // 4, pool=True)), (
        Step(width // 2, pool=True),
        Step(width, pool=True),
    )
