"""Stored samples with their classes: arrays, files, and those that operations alter on the way.

Shapes: N samples, B batch.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

LoaderOp = Callable[[Tensor], Tensor]


class SampleSet(Dataset[tuple[Tensor, int]]):
    """A map-style set of stored samples, (tensor, label), that also returns whole batches.

    Samples are uint8; those of text are word indices, int32.
    """

    labels: NDArray[np.int64]

    @property
    def at_hand(self) -> bool:
        """Whether a batch is read in one go from memory or a memory map, and is the same every time."""
        return False

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        raise NotImplementedError

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The samples of these indices, stacked, and their labels [B]."""
        samples = [self[index][0] for index in indices]
        return torch.stack(samples), torch.from_numpy(self.labels[np.asarray(indices)])

    def positions(self) -> NDArray[np.int64]:
        """The position of each sample among all that its data set holds; by default, the set is the whole."""
        return np.arange(len(self))


class Samples(Protocol):
    """An array or a memory map of stored samples, indexed along its first axis."""

    def __getitem__(self, index: NDArray[np.int64], /) -> NDArray[Any]: ...


class ArraySet(SampleSet):
    """A subset of the samples in an array or memory map; a batch is one fancy-indexing call.

    Args:
        samples: uint8 or int32 [N, ...].
        labels: classes [N].
        index: indices of the samples in this set, in order; all by default.
    """

    def __init__(
        self, samples: Samples, labels: NDArray[np.int64], index: NDArray[np.int64] | None = None
    ) -> None:
        self.samples = samples
        self.index = np.arange(len(labels)) if index is None else index
        self.labels = labels[self.index].astype(np.int64)

    @property
    def at_hand(self) -> bool:
        return True

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        samples, labels = self.batch([index])
        return samples[0], int(labels[0])

    def positions(self) -> NDArray[np.int64]:
        return self.index

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        chosen = np.asarray(indices)
        return torch.from_numpy(self.samples[self.index[chosen]]), torch.from_numpy(self.labels[chosen])


class AlteredSet(SampleSet):
    """A set that applies operations to each sample (augmentation in the loader)."""

    def __init__(self, samples: SampleSet, ops: Sequence[LoaderOp]) -> None:
        self.samples = samples
        self.ops = tuple(ops)
        self.labels = samples.labels

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        sample, label = self.samples[index]
        for op in self.ops:
            sample = op(sample)
        return sample, label

    def positions(self) -> NDArray[np.int64]:
        return self.samples.positions()
