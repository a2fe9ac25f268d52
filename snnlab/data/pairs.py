"""Reads GLUE's table of question pairs: six columns, separated by tabs and never quoted."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snnlab.data.foreign import AGAIN, reading
from snnlab.data.sentences import Sentences
from snnlab.errors import DataError

COLUMNS = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
_PIECES = 0.001
"""The share of lines that may be pieces of a question; in the published training part it is one in 17,000."""


def read_pairs(path: Path) -> Sentences:
    """Pairs of questions and whether they ask the same.

    Quotation marks are characters like others: many questions hold a single one. Some questions were published with a
    line break inside; their pieces, lines of fewer columns, are left out, as GLUE's readers do.

    Raises:
        DataError: the first line does not name the columns, a line has more columns or another class than 0 and 1, too
            many lines are pieces, or there is no pair.
    """
    firsts, seconds, labels, pieces = [], [], [], 0
    with reading(path), path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(rows, [])
        if tuple(header) != COLUMNS:
            raise DataError(
                f"{path}, line 1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)[:80] or 'nothing'}",
                AGAIN,
            )
        for row in rows:
            if len(row) < len(COLUMNS):
                pieces += bool(row)
                continue
            if len(row) > len(COLUMNS) or row[-1] not in ("0", "1"):
                raise DataError(f"{path}, line {rows.line_num}: expected two questions and 0 or 1", AGAIN)
            firsts.append(row[3].strip())
            seconds.append(row[4].strip())
            labels.append(int(row[-1]))
    _refuse_few(path, labels, pieces)
    return Sentences(firsts, np.array(labels, np.int64), seconds)


def _refuse_few(path: Path, labels: Sequence[int], pieces: int) -> None:
    if not labels:
        raise DataError(f"{path} holds no pair of questions", AGAIN)
    if pieces > 1 + _PIECES * len(labels):
        raise DataError(
            f"{path}: {pieces:,} of {pieces + len(labels):,} lines have fewer than {len(COLUMNS)} columns",
            AGAIN,
        )
