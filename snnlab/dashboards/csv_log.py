"""All rows of a run in one CSV file, `metrics.csv`: a column for each metric, empty where a row has none."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from snnlab.atomic import write_text
from snnlab.dashboards.base import Dashboard


class CSVLog(Dashboard):
    """Appends rows; a row with new metrics rewrites the file with their columns.

    Args:
        run_dir: the file goes there.
        continues: whether an existing file is continued, else it is replaced.
    """

    name = "metrics.csv"

    def __init__(self, run_dir: Path, *, continues: bool) -> None:
        self._file = run_dir / "metrics.csv"
        self._columns: list[str] = []
        if not continues:
            self._file.unlink(missing_ok=True)
        elif self._file.exists():
            with self._file.open(newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file), [])

    def row(self, row: Mapping[str, Any]) -> None:
        if new := [key for key in row if key not in self._columns]:
            self._widen(new)
        with self._file.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    def _widen(self, new: list[str]) -> None:
        rows: list[dict[str, str]] = []
        if self._columns:
            with self._file.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        self._columns += new
        text = StringIO(newline="")
        writer = csv.DictWriter(text, self._columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._file, text.getvalue())
