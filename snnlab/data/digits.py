"""The handwritten digits that ship with scikit-learn, and their committed split.

1797 images of 8 x 8 pixels with 17 grey levels: the test part of "Optical Recognition of Handwritten Digits"
(Alpaydin and Kaynak 1998, UCI), written by 13 people.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from snnlab.data.splits import Split, committed

COUNT = 1797
NAMES = tuple(f"{index:04d}" for index in range(COUNT))
CLASS_NAMES = tuple(str(digit) for digit in range(10))


@cache
def load_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Images [1797, 8, 8] from 0 to 1, and labels [1797]."""
    from sklearn.datasets import load_digits as load

    bunch = load()
    return bunch.images / 16, bunch.target.astype(np.int64)


def split_digits(split_name: str, names: Sequence[str] = NAMES) -> Split:
    """The split of this name: 1437 training and 360 held-out samples."""
    return committed(f"digits-{split_name}.txt", names)
