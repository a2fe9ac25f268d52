"""Reads `val_annotations.txt` of Tiny-ImageNet: a file name, its class and a box in each line, separated by tabs."""

import os
from collections.abc import Container, Sequence
from pathlib import Path

from snnlab.data.foreign import AGAIN, reading
from snnlab.errors import DataError


def annotated(path: Path, pictures: Sequence[str], classes: Sequence[str]) -> dict[str, list[str]]:
    """The pictures of each class.

    Args:
        path: the annotations.
        pictures: the paths of the pictures that are there, sorted.
        classes: the names of all classes, in order.

    Raises:
        DataError: a line has another format or an unknown class, a file is named twice, or one of a picture and its
            line is not there.
    """
    found: dict[str, list[str]] = {name: [] for name in classes}
    class_of = _read(path, found.keys())
    names = {os.path.basename(one): one for one in pictures}
    for missing, where in (
        (sorted(class_of.keys() - names.keys()), f"named in {path}, and not there"),
        (sorted(names.keys() - class_of.keys()), f"there, and not named in {path}"),
    ):
        if missing:
            raise DataError(f"'{missing[0]}' is {where} ({len(missing)} in all)", AGAIN)
    for name, picture in names.items():
        found[class_of[name]].append(picture)
    return found


def _read(path: Path, classes: Container[str]) -> dict[str, str]:
    class_of: dict[str, str] = {}
    with reading(path), path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            columns = line.rstrip("\r\n").split("\t")
            if len(columns) < 2 or not columns[0]:
                raise DataError(f"{path}, line {number}: expected a file name, a class and a box", AGAIN)
            name, label = columns[:2]
            if label not in classes:
                raise DataError(
                    f"{path}, line {number}: class '{label[:40]}' has no folder in train",
                    "train and val are of different data sets, or not fully unpacked",
                )
            if name in class_of:
                raise DataError(f"{path}, line {number}: '{name}' is named a second time", AGAIN)
            class_of[name] = label
    return class_of
