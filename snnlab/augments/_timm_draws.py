"""Random numbers of code that draws from the generators of the process, as timm's augmentations do."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Inside, the generators of Python and NumPy start from `seed`; afterwards they are as they were before."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 # the one that timm draws from
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
