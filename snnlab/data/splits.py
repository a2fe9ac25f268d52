"""The named splits: published conventions as rules over (class, number), random ones as committed files.

Every rule works on recordings sorted by class and number, so the split does not depend on the file system.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from snnlab.errors import DataError


@dataclass(frozen=True)
class Split:
    """Indices of the recordings of each side, in order."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def by_test_mask(test: NDArray[np.bool_]) -> Split:
    """A split from a mask over all recordings."""
    return Split(np.flatnonzero(~test), np.flatnonzero(test))


def committed(file: str, names: Sequence[str]) -> Split:
    """A split whose held-out samples are listed by name in a file of `snnlab/data/splits/`, one a line.

    Raises:
        DataError: a listed sample is missing, so the published split cannot be made.
    """
    text = (resources.files("snnlab.data") / "splits" / file).read_text()
    held_out = {line for line in text.splitlines() if line and not line.startswith("#")}
    missing = held_out.difference(names)
    if missing:
        raise DataError(
            f"split {file.removesuffix('.txt')}: {len(missing)} of its {len(held_out)} held-out samples are "
            f"missing, '{min(missing)}' for one",
            "complete the data set, or choose a split that is a rule",
        )
    return by_test_mask(np.array([name in held_out for name in names]))


def refuse_empty_sides(split: Split, what: str, count: int) -> None:
    """Refuses a split that leaves nothing to train or to test.

    Args:
        split: the indices of both sides.
        what: the data set and the split, at the start of the message.
        count: number of recordings that are there.

    Raises:
        DataError: a side is empty.
    """
    for side, index in (("training", split.train), ("held-out", split.test)):
        if len(index) == 0:
            raise DataError(
                f"{what} leaves no {side} samples of the {count} recordings that are there",
                "complete the data set, or choose another dataset.split",
            )


def within(chosen: NDArray[np.int64], split: Split) -> Split:
    """Maps a split of some recordings to indices into all of them; the others belong to neither side."""
    return Split(chosen[split.train], chosen[split.test])


def first_of_class(
    labels: NDArray[np.int64],
    fraction: float,
    rounding: Callable[[float], int] = round,
    order: NDArray[np.int64] | None = None,
) -> Split:
    """The first part of every class is for training, the rest is held out.

    Args:
        labels: class of every recording.
        fraction: of each class for training.
        rounding: rounds `fraction` times the size of a class to a whole number.
        order: a permutation of the recordings that defines "first"; their own order by default.
    """
    order = np.arange(len(labels)) if order is None else order
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        # Otherwise ceil(0.07 * 100) would round 7.000000000000001 up to 8.
        test[members[rounding(round(len(members) * fraction, 6)) :]] = True
    return by_test_mask(test)


def stratified(labels: NDArray[np.int64], fraction: float, seed: int) -> Split:
    """A random part of every class is for training: class by class, a permutation by PCG64 with this seed."""
    generator = np.random.default_rng(seed)
    order = np.concatenate(
        [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    )
    return first_of_class(labels, fraction, order=order)
