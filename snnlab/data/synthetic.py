"""Generated data with the shapes of a data set, to try an experiment without its files.

Shapes: B samples, T time steps, C channels, H height, W width, K classes.
"""

import numpy as np
import torch
from torch import Tensor

from snnlab.data.dataset import LabelledData, Status
from snnlab.data.sample_sets import SampleSet
from snnlab.data.words import Words


class Synthetic(LabelledData):
    """Stands in for a data set: same shapes, classes, decoding and normalisation, without its files.

    A sample of class k is a bright blob over noise at the k-th of K places on a grid, or a sentence in which the
    words of class k are frequent: a network learns it in a few steps.

    Args:
        dataset: the data set to imitate.
        num_train, num_test: number of samples; they are generated on access and take no memory.
    """

    def __init__(self, dataset: LabelledData, num_train: int = 256, num_test: int = 32) -> None:
        self._dataset = dataset
        self._counts = (num_train, num_test)
        self.num_classes = dataset.num_classes
        self.class_names = dataset.class_names
        self.in_channels = dataset.in_channels
        self.reads_words = dataset.reads_words
        if not dataset.reads_words:
            self.image_size = dataset.image_size
        self.static = dataset.static
        self.split_name = "synthetic"
        self.mean, self.std = dataset.mean, dataset.std
        self.raw_shape = dataset.raw_shape

    def _train_set(self) -> SampleSet:
        return self._samples(self._counts[0], first=0)

    def _test_set(self) -> SampleSet:
        return self._samples(self._counts[1], first=self._counts[0])

    def _samples(self, count: int, first: int) -> SampleSet:
        made_up = self._dataset.made_up(count, first)
        return _Blobs(self.raw_shape, self.num_classes, count, first) if made_up is None else made_up

    @property
    def frame_shape(self) -> tuple[int, int]:
        return self._dataset.frame_shape

    @property
    def words(self) -> Words | None:
        return self._dataset.made_up_words()

    def decode(self, raw: Tensor) -> Tensor:
        return self._dataset.decode(raw)

    def look(self) -> None:
        """Does nothing: there is nothing to look for."""

    def prepare(self) -> None:
        """Does nothing: generated data need no preparation."""

    def status(self) -> Status:
        return Status(True, None, sum(self._counts), note="generated")

    def verify(self) -> list[str]:
        return []

    def _checked(self, samples: SampleSet, part: str) -> SampleSet:
        return samples  # few generated samples need not show every class


class _Blobs(SampleSet):
    """Sample i depends on `first` + i alone."""

    def __init__(self, shape: tuple[int, ...], num_classes: int, count: int, first: int) -> None:
        self.shape, self.num_classes, self.first = shape, num_classes, first
        self.labels = (np.arange(count) + first) % num_classes

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        label = int(self.labels[index])
        generator = torch.Generator().manual_seed(self.first + int(index))
        static = len(self.shape) == 3
        height, width = self.shape[-2:]
        strength = 255 if static else 4
        noise = torch.rand(self.shape, generator=generator) * 0.25
        row, column = _place(label, self.num_classes, height, width)
        distance_HW = torch.hypot(
            (torch.arange(height) - row)[:, None] / height, (torch.arange(width) - column)[None] / width
        )
        blob_HW = (distance_HW < 0.15).float()
        sample = ((noise + blob_HW).clamp(max=1) * strength).round().to(torch.uint8)
        return sample, label


def _place(label: int, num_classes: int, height: int, width: int) -> tuple[float, float]:
    side = int(np.ceil(np.sqrt(num_classes)))
    row, column = divmod(label, side)
    return (row + 0.5) / side * height, (column + 0.5) / side * width
