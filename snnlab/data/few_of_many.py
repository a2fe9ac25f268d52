"""Which samples of many are read to try the data before a run: some of every class, as many as are read quickly."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snnlab.data.files import Recording

MOST = 64
CHEAP = 32_000_000
"""Bytes that are read to look for a mistake before a run; each class's first sample is read whatever its size."""


def few_of_many(classes: NDArray[np.int64], size: Callable[[int], int] = lambda _: 0) -> list[int]:
    """Indices of the first sample of each class, then of the second ones and so on, ascending.

    There are at most 64: of more classes than that, 64 that lie evenly between the first and the last.

    Args:
        classes: the class of each sample, or any other number that tells apart what may differ [N].
        size: bytes of the file of a sample.
    """
    order = np.argsort(classes, kind="stable")
    _, starts, inverse = np.unique(classes[order], return_index=True, return_inverse=True)
    turn = np.arange(len(order)) - starts[inverse]
    by_turn = order[np.lexsort((inverse, turn))]
    first = by_turn[: len(starts)]
    if len(first) > MOST:
        return sorted(first[np.linspace(0, len(first) - 1, MOST).round().astype(int)].tolist())
    chosen: list[int] = first.tolist()
    total = sum(map(size, chosen))
    for index in by_turn[len(first) : MOST].tolist():
        total += size(index)
        if total > CHEAP:
            break
        chosen.append(index)
    return sorted(chosen)


def few_recordings(recordings: Sequence[Recording]) -> list[int]:
    """As `few_of_many`, of files; a class counts once for each folder that its files are in, such as train/ and test/.

    Args:
        recordings: files with their classes; sorted, so that those of a folder follow each other.
    """
    # <part>/<class>/<file>; what lies less deep has no parts
    folders = [(one.name.partition("/")[0] * (one.name.count("/") > 1), one.label) for one in recordings]
    numbers = {folder: k for k, folder in enumerate(dict.fromkeys(folders))}
    groups = np.array([numbers[folder] for folder in folders], np.int64)
    return few_of_many(groups, lambda i: recordings[i].path.stat().st_size)
