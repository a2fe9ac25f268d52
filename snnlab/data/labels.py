"""The labels of a part of a data set: whether they are its classes, and how many samples each class has.

Shapes: N samples.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from snnlab.errors import DataError

_NAMED = 4


def refuse_labels(labels: NDArray[np.int64], num_classes: int, part: str) -> None:
    """Refuses a part of a data set without samples, or with labels that are not its classes.

    Raises:
        DataError: it is such a part.
    """
    if not len(labels):
        raise DataError(f"no {part} samples", "snnlab data list says what is there")
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= num_classes:
        raise DataError(
            f"{part} labels go from {least} to {most}, and the {num_classes} classes have the numbers "
            f"0 to {num_classes - 1}",
            "labels that start at 1 have to be lowered by 1",
        )


def absent_classes(labels: Iterable[int] | NDArray[np.int64], class_names: Sequence[str]) -> str:
    """The classes without a sample, as words: `class 'a', 'b' and 7 more of 10`; empty if there are none."""
    found = set(np.asarray(labels).tolist())
    absent = [repr(name) for label, name in enumerate(class_names) if label not in found]
    if not absent:
        return ""
    more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    return f"class {', '.join(absent[:_NAMED])}{more} of {len(class_names)}"


def described(labels: NDArray[np.int64], class_names: Sequence[str], part: str) -> str:
    """The number of samples and of classes, in words.

    Args:
        labels: classes [N], N at least 1.
        class_names: all classes.
        part: `training` or `held-out`.
    """
    counts = np.bincount(labels)
    least, most = int(counts[counts > 0].min()), int(counts.max())
    each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    absent = absent_classes(labels, class_names)
    return (
        f"{len(labels):,} {part} samples of {np.count_nonzero(counts):,} classes, {each} of each"
        f"{'; none of ' * bool(absent)}{absent}"
    )
