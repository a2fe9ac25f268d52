"""Base of the still-image data sets: uint8 images, shown at every time step.

Shapes: B batch, C channels, H height, W width.
"""

from pathlib import Path

import torch
from torch import Tensor

from snnlab.data.dataset import LabelledData, Status, resize
from snnlab.data.labels import refuse_labels
from snnlab.errors import DataError


class ImageData(LabelledData):
    """A data set of still images.

    A subclass sets `raw_shape` and implements `_train_set` and `_test_set`; both raise DataError if the data are
    missing.

    Args:
        root: folder of all data sets.
        image_size: height and width after decoding (bilinear, antialiased).
        split_name: the named split.
    """

    static = True

    def __init__(self, root: Path, image_size: int, split_name: str) -> None:
        self.root = Path(root)
        self.image_size = image_size
        self.split_name = split_name

    def decode(self, raw: Tensor) -> Tensor:
        """uint8 [B, C, h, w] to float32 [B, 1, C, H, W] from 0 to 1."""
        return resize(raw.to(torch.float32) / 255, self.image_size).unsqueeze(1)

    def prepare(self) -> None:
        self._train_set()
        self.test_set()

    def verify(self) -> list[str]:
        try:
            self.prepare()
            for part, labels in zip(("training", "held-out"), self.part_labels(), strict=True):
                refuse_labels(labels, self.num_classes, part)
        except DataError as error:
            return [error.message]
        return []

    def status(self) -> Status:
        raise NotImplementedError
