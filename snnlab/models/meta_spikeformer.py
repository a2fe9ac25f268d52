"""Meta-SpikeFormer, the spiking transformer of Spike-driven Transformer V2.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.linear_head import linear_head
from snnlab.layers.meta_blocks import MetaAttentionBlock, MetaConvBlock
from snnlab.layers.time import EachStep
from snnlab.layers.two_heads import both_heads
from snnlab.ranges import Positive, PositiveInt


class MetaSpikeFormer(nn.Module):
    """Meta-SpikeFormer of Yao et al. 2024: convolutional blocks, then attention blocks, with membrane shortcuts.

    (neuron)-conv-norm makes the image smaller, without a neuron in front of the first: 7x7 of stride 2 to half of the
    first of `dims`, 3x3 of stride 2 to the first, second and third, 3x3 of stride 1 to the fourth. Behind the first
    three stand convolutional blocks, behind the last two attention blocks, as many as `depths` says. Then the mean over
    the image, a neuron, and the linear head on every step. Published for ImageNet, with the neuron lif (tau 2,
    decay_input, detach_reset):

        8-384    dims (96, 192, 384, 480), 31.3 M parameters
        8-512    the defaults, 55.4 M
        8-768    dims (192, 384, 768, 960), 123.7 M

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        dims: channels of the four stages; the first is even, the last two are multiples of heads.
        depths: number of blocks behind each of the five convolutions.
        heads: heads of the attention.
        mlp_ratio: hidden channels of the blocks' second half, over their channels.
        scale: factor of the attention's output.
        attention_threshold: threshold of the neuron behind the attention, whatever that of the others.
        last_neuron: true: the head sees spikes of the mean over the image | false: the mean itself. In the released
            code the head sees the mean, and the distillation head spikes, which it always does here.
        distillation_head: true: a second head, for a teacher's classes; the logits are the mean of both heads, as in
            the released evaluation. With loss=hard_distillation each is trained by itself.

    Raises:
        ValueError: dims are not four, or not divisible; depths are not five.
    """

    heads_apart = False
    released_unused = ""

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        *,
        dims: tuple[int, ...] = (128, 256, 512, 640),
        depths: tuple[int, ...] = (1, 1, 2, 6, 2),
        heads: PositiveInt = 8,
        mlp_ratio: PositiveInt = 4,
        scale: Positive = 0.125,
        attention_threshold: Positive = 0.5,
        last_neuron: bool = True,
        distillation_head: bool = False,
    ) -> None:
        super().__init__()
        if len(dims) != 4 or min(dims) < 1:
            raise ValueError(f"dims of meta_spikeformer are the channels of four stages, not {list(dims)}")
        if len(depths) != 5 or min(depths) < 0:
            raise ValueError(f"depths of meta_spikeformer are five numbers of blocks, not {list(depths)}")
        d1, d2, d3, d4 = dims
        if d1 % 2 or d3 % heads or d4 % heads:
            raise ValueError(
                f"dims {list(dims)} of meta_spikeformer do not fit: the first must be even, and the last two multiples "
                f"of heads ({heads})"
            )

        def convs(channels: int, count: int) -> list[nn.Module]:
            return [MetaConvBlock(channels, mlp_ratio, neuron, norm) for _ in range(count)]

        def attention(dim: int, count: int) -> list[nn.Module]:
            parts = (dim, heads, mlp_ratio, scale, attention_threshold, neuron, norm)
            return [MetaAttentionBlock(*parts) for _ in range(count)]

        def smaller(c_in: int, c_out: int, stride: int) -> list[nn.Module]:
            return [neuron(), EachStep(nn.Conv2d(c_in, c_out, 3, stride, padding=1)), norm(c_out)]

        first = [EachStep(nn.Conv2d(in_channels, d1 // 2, 7, 2, padding=3)), norm(d1 // 2)]
        self.stages = nn.Sequential(
            nn.Sequential(Layers(*first), *convs(d1 // 2, depths[0])),
            nn.Sequential(Layers(*smaller(d1 // 2, d1, 2)), *convs(d1, depths[1])),
            nn.Sequential(Layers(*smaller(d1, d2, 2)), *convs(d2, depths[2])),
            nn.Sequential(Layers(*smaller(d2, d3, 2)), *attention(d3, depths[3])),
            nn.Sequential(Layers(*smaller(d3, d4, 1)), *attention(d4, depths[4])),
        )
        self.last_neuron, self.depths = last_neuron, depths
        self.neuron = neuron() if last_neuron or distillation_head else nn.Identity()
        self.head = linear_head(d4, num_classes)
        self.distillation_head = linear_head(d4, num_classes) if distillation_head else None

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]; of both heads [T, B, 2, K] in training where `heads_apart` is set."""
        mean_TBC = self.stages(x_TBCHW).mean((3, 4))
        spikes_TBC = self.neuron(mean_TBC)
        logits_TBK: Tensor = self.head(spikes_TBC if self.last_neuron else mean_TBC)
        if self.distillation_head is not None:
            second_TBK = self.distillation_head(spikes_TBC)
            return both_heads(logits_TBK, second_TBK, self.heads_apart and self.training)
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in BICLab/Spike-Driven-Transformer-V2."""
        separable = [f"Conv.{layer}" for layer in ("pwconv1", "bn1", "dwconv", "pwconv2", "bn2")]
        conv_block = [*separable, "conv1", "bn1", "conv2", "bn2"]
        body = [f"0.body.{layer}" for layer in ("0", "1.bn", "2.0", "2.1", "2.2")]
        attention = [f"attn.{part}_conv.{layer}" for part in "qkv" for layer in (*body, "1")]
        attention += [f"attn.proj_conv.{layer}" for layer in (*body, "1")]
        attention += ["mlp.fc1_conv", "mlp.fc1_bn", "mlp.fc2_conv", "mlp.fc2_bn"]
        blocks = {
            "1_1": [f"ConvBlock1_1.{i}" for i in range(self.depths[0])],
            "1_2": [f"ConvBlock1_2.{i}" for i in range(self.depths[1])],
            "2": [f"ConvBlock2_{i + 1}.0" for i in range(self.depths[2])],
            "3": [f"block3.{i}" for i in range(self.depths[3])],
            "4": [f"block4.{i}" for i in range(self.depths[4])],
        }
        names: list[str] = []
        for stage, inside in blocks.items():
            names += [f"downsample{stage}.encode_conv", f"downsample{stage}.encode_bn"]
            layers = attention if stage in "34" else conv_block
            names += [f"{block}.{layer}" for block in inside for layer in layers]
        return [*names, "head"] if self.distillation_head is None else [*names, "head", "head_kd"]
