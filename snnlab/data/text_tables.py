"""Reads tables of sentences and classes (.csv, .tsv)."""

import csv
from pathlib import Path
from typing import Literal

import numpy as np

from snnlab.data.foreign import reading
from snnlab.data.sentences import Sentences
from snnlab.errors import DataError

_QUOTING: dict[str, Literal[0, 3]] = {"\t": csv.QUOTE_NONE, ",": csv.QUOTE_MINIMAL}


def read_table(path: Path, separator: str, text: int, num_classes: int) -> Sentences:
    """A table of two columns, sentences and classes; a first line with a word for the class is a header.

    Args:
        path: a .csv (`,`, quoted where needed) or .tsv (a tab, never quoted).
        separator: separator of the columns.
        text: index of the column with the sentence, 0 or 1; the other one holds the class.
        num_classes: number of classes; labels are below it.

    Raises:
        DataError: a line has another format, or there is none.
    """
    texts, labels = [], []
    with reading(path), path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=separator, quoting=_QUOTING[separator])
        for row in rows:
            if not row:
                continue
            label = row[1 - text] if len(row) == 2 else ""
            if rows.line_num == 1 and label.strip() and not any(map(str.isdigit, label)):
                continue
            if not label.isascii() or not label.isdigit() or len(label) > 9 or int(label) >= num_classes:
                raise DataError(
                    f"{path}, line {rows.line_num}: expected a sentence and a class below {num_classes}",
                    "the file is damaged, or of another data set",
                )
            texts.append(row[text].strip())
            labels.append(int(label))
    if not texts:
        raise DataError(f"{path} holds no sentence", "get it again")
    return Sentences(texts, np.array(labels, np.int64))
