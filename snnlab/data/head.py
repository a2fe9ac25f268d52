"""The first samples of a set: what a network should be able to learn by heart when its code is right."""

from collections.abc import Sequence

from torch import Tensor

from snnlab.data.dataset import SampleSet


class HeadSet(SampleSet):
    """The first `count` samples of another set.

    Args:
        samples: the whole set.
        count: how many; all of them where there are fewer.
    """

    def __init__(self, samples: SampleSet, count: int) -> None:
        self.samples = samples
        self.labels = samples.labels[:count]

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.samples[range(len(self))[index]]

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self.samples.batch(indices)
