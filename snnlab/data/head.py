"""The first samples of a set, for the overfitting test: correct code should fit them perfectly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.dataset import SampleSet


class HeadSet(SampleSet):
    """The first `count` samples of another set.

    Args:
        samples: the whole set.
        count: number of samples; all if the set has fewer.
    """

    def __init__(self, samples: SampleSet, count: int) -> None:
        self.samples = samples
        self.labels = samples.labels[:count]

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.samples[range(len(self))[index]]

    def positions(self) -> NDArray[np.int64]:
        return self.samples.positions()[: len(self)]

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self.samples.batch(indices)
