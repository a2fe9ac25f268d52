"""Sentences, or pairs of them, and their classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sentences:
    """Sentences and their classes, in the order of the file.

    Attributes:
        texts: a sentence of each sample.
        labels: classes [N].
        seconds: the second sentence of each sample; `None`: samples are single sentences.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    seconds: list[str] | None = None
