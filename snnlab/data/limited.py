"""A part of a set of samples, for evaluations and overfitting tests on few of them: a fixed draw with all classes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.sample_sets import SampleSet

Draw = Literal["stratified", "first"]


class LimitedSet(SampleSet):
    """Some of the samples of another set.

    Args:
        samples: the whole set.
        index: indices of the samples that are kept [N].
    """

    def __init__(self, samples: SampleSet, index: NDArray[np.int64]) -> None:
        self.samples = samples
        self.index = index
        self.labels = samples.labels[index]

    @property
    def at_hand(self) -> bool:
        return self.samples.at_hand

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.samples[int(self.index[index])]

    def positions(self) -> NDArray[np.int64]:
        return self.samples.positions()[self.index]

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self.samples.batch(self.index[np.asarray(indices)].tolist())


def limited(samples: SampleSet, batches: int | None, batch_size: int, draw: Draw) -> SampleSet:
    """At most `batches` batches of `batch_size` samples of a set, in stored order; the set itself if it has no more."""
    if batches is None or batches * batch_size >= len(samples):
        return samples
    count = batches * batch_size
    return LimitedSet(
        samples, np.arange(count) if draw == "first" else stratified_part(samples.labels, count)
    )


def stratified_part(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Indices of `count` samples in which classes have their shares, in order: the same ones every time.

    Each class has a sample before any has a second one, and a larger part contains a smaller one.

    Args:
        labels: class of each sample [N].
        count: number of samples, at most N.
    """
    order = np.random.default_rng(0).permutation(len(labels))
    # The n-th sample of a class of N is due at n / N.
    due = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        due[members] = np.arange(len(members)) / len(members)
    return np.sort(order[np.argsort(due[order], kind="stable")[:count]])
