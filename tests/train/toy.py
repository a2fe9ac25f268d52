"""A tiny data set and network for tests of the trainer's parts."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.data.dataset import LabelledData
from snnlab.data.inputs import InputPipeline
from snnlab.data.sample_sets import ArraySet, LoaderOp, SampleSet
from snnlab.losses.sdt import SDT
from snnlab.neurons.lif import LIF


class ToyData(LabelledData):
    """24 random recordings of 3 steps in 4 classes."""

    num_classes, class_names, in_channels, image_size = 4, ("a", "b", "c", "d"), 2, 4
    static, split_name, raw_shape = False, "toy", (3, 2, 4, 4)

    def train_set(self, ops: Sequence[LoaderOp] = ()) -> SampleSet:
        random = np.random.default_rng(0)
        return ArraySet(random.integers(0, 4, (24, 3, 2, 4, 4), dtype=np.uint8), np.arange(24) % 4)

    def test_set(self) -> SampleSet:
        return self.train_set()

    def decode(self, raw: Tensor) -> Tensor:
        return raw.float()

    def prepare(self) -> None:
        pass


class ToyNet(nn.Module):
    """Linear - LIF - linear on flattened frames; no batch statistics, so gradients of parts add up exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.neuron, self.head = nn.Linear(32, 8), LIF(), nn.Linear(8, 4)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        return self.head(self.neuron(self.hidden(x_TBCHW.flatten(2))))


def pipeline(
    num_steps: int = 3, augments: Sequence[nn.Module] = (), data: LabelledData | None = None, seed: int = 0
) -> InputPipeline:
    return InputPipeline(data or ToyData(), augments, num_steps, torch.device("cpu"), seed)


def loss() -> SDT:
    return SDT()
