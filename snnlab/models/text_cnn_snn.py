"""The spiking TextCNN: filters over three, four and five words at a time.

Shape suffixes: T time steps, B samples, C channels, H height (words), W width, K classes.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.ranges import HalfOpenFraction, PositiveInt
from snnlab.time_axis import fold_time, unfold_time


class TextCNNSNN(nn.Module):
    """Spiking TextCNN: convolutions over k neighbouring words, a pool over the sentence, one linear layer.

    For each k a convolution as wide as a word's vector, with bias, and a neuron; the pool leaves one number of each
    filter; all of them together go into a linear head at each step (Kim 2014; spiking: Lv et al. 2023). With one
    channel, vectors of 300 numbers and two classes these are the published 360,902 parameters: 360,300 of the
    convolutions and 602 of the head; an embedding in front is not among them.

    Where the papers differ or say nothing: "max" over the sentence is Kim's pool, which the circulate-firing paper
    cites, and its outputs are spikes; "avg" with a neuron behind it is Lv's, whose head has one more neuron.
    There is no normalisation in either.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, frame_shape: of the data; a row of a frame is a word.
        filters: filters of each size.
        kernels: how many words each kind of filter sees.
        pool: over the sentence: max | avg (and a neuron).
        normalise: true: the configured norm between convolution and neuron.
        dropout: probability before the head, one mask for all steps.

    Raises:
        ValueError: the sentences are shorter than a filter.
    """

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        frame_shape: tuple[int, int],
        *,
        filters: PositiveInt = 100,
        kernels: tuple[int, ...] = (3, 4, 5),
        pool: Literal["max", "avg"] = "max",
        normalise: bool = False,
        dropout: HalfOpenFraction = 0.0,
    ) -> None:
        super().__init__()
        length, width = frame_shape
        if not kernels or min(kernels) < 1 or max(kernels) > length:
            raise ValueError(
                f"kernels of text_cnn_snn see 1 to {length} words of sentences of {length}: {list(kernels)}"
            )
        convs = [nn.Conv1d(in_channels * width, filters, k) for k in kernels]
        for conv in convs:
            # As in the other networks; with PyTorch's smaller default weights a layer without norm would not fire.
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(norm(filters) if normalise else nn.Identity() for _ in kernels)
        self.neurons = nn.ModuleList(neuron() for _ in kernels)
        self.pool = pool
        self.pool_neuron = neuron() if pool == "avg" else nn.Identity()
        self.dropout = SharedDropout(dropout)
        self.head = nn.Linear(filters * len(kernels), num_classes)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        # The values of a word become the channels of a convolution along the sentence: equal sums, computed faster.
        x_NFL = fold_time(x_TBCHW).transpose(2, 3).flatten(1, 2)
        pooled = []
        for conv, norm, neuron in zip(self.convs, self.norms, self.neurons, strict=True):
            s_TBFL = neuron(norm(unfold_time(conv(x_NFL), len(x_TBCHW))))
            pooled.append(s_TBFL.amax(-1) if self.pool == "max" else s_TBFL.mean(-1))
        logits_TBK: Tensor = self.head(self.dropout(self.pool_neuron(torch.cat(pooled, -1))))
        return logits_TBK
