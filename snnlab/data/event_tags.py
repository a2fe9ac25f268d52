"""Tags of a recording of several samples: which events of it are of which class."""

import csv
from dataclasses import dataclass
from pathlib import Path

from snnlab.data.foreign import AGAIN, reading
from snnlab.errors import DataError

COLUMNS = ("class", "startTime_ev", "endTime_ev")
_LONGEST = 12


@dataclass(frozen=True)
class Tag:
    """A sample: the events `start` to `end`, without the last, of a recording.

    Attributes:
        label: class index, one less than in the file.
        start, end: numbers of events, counted from 0.
    """

    label: int
    start: int
    end: int


def read_tags(path: Path, num_classes: int) -> list[Tag]:
    """The tags in a table with the columns class (from 1), startTime_ev and endTime_ev, in its order.

    Raises:
        DataError: a column is missing, a line has another format, a class is unknown, or there is no tag.
    """
    tags = []
    with reading(path), path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        header = [name.strip() for name in next(rows, [])]
        absent = [name for name in COLUMNS if name not in header]
        if absent:
            raise DataError(
                f"{path}: no column {absent[0]}, but {', '.join(header)[:80] or 'nothing'}", AGAIN
            )
        places = [header.index(name) for name in COLUMNS]
        for row in rows:
            if not any(map(str.strip, row)):
                continue
            values = [row[place].strip() if place < len(row) else "" for place in places]
            if not all(one.isascii() and one.isdigit() and len(one) <= _LONGEST for one in values):
                raise DataError(
                    f"{path}, line {rows.line_num}: expected {', '.join(COLUMNS)} as numbers", AGAIN
                )
            number, start, end = map(int, values)
            if not 1 <= number <= num_classes or start >= end:
                raise DataError(
                    f"{path}, line {rows.line_num}: class {number} with the events {start} to {end}; classes are 1 to "
                    f"{num_classes}, and an end comes after its start",
                    AGAIN,
                )
            tags.append(Tag(number - 1, start, end))
    if not tags:
        raise DataError(f"{path} holds no tag", AGAIN)
    return tags
