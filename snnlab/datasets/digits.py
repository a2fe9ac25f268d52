"""Scikit-learn's handwritten digits, as still images."""

from pathlib import Path
from typing import Literal

import numpy as np

from snnlab.data.dataset import Status
from snnlab.data.digits import CLASS_NAMES, COUNT, load_digits, split_digits
from snnlab.data.image_data import ImageData
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.ranges import PositiveInt


class Digits(ImageData):
    """Handwritten digits of scikit-learn: 1797 grey images of 8 x 8, in memory, no download.

    Args:
        root: unused, nothing is stored.
        num_steps: unused, the image is shown at every step.
        image_size: height and width after bilinear resizing of the 8 x 8 images. Default 16, which the
            networks' pools divide.
        split: stratified80_seed0: 1437 train, 360 test, the same digits as of `digits_dvs`.
    """

    num_classes = 10
    class_names = CLASS_NAMES
    reads_files = False
    in_channels = 1
    raw_shape = (1, 8, 8)
    mean = (0.3053,)
    std = (0.3760,)

    def __init__(
        self,
        root: Path,
        num_steps: int = 1,
        *,
        image_size: PositiveInt = 16,
        split: Literal["stratified80_seed0"] = "stratified80_seed0",
    ) -> None:
        super().__init__(root, image_size, split)
        images, self._labels = load_digits()
        self._images = np.round(images[:, None] * 255).astype(np.uint8)

    def _train_set(self) -> SampleSet:
        return ArraySet(self._images, self._labels, split_digits(self.split_name).train)

    def _test_set(self) -> SampleSet:
        return ArraySet(self._images, self._labels, split_digits(self.split_name).test)

    def status(self) -> Status:
        return Status(True, None, COUNT, COUNT, note="ships with scikit-learn")
