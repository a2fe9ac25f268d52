"""The dashboards of a run together. None of them can stop it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from snnlab.dashboards.base import Cell, Dashboard, Status
from snnlab.signals import Stopped

REASON_LETTERS = 300


class Dashboards:
    """Hands every record to each dashboard; as a context manager it ends them, with how the run ended.

    Rows wait until the checkpoint that holds their steps is saved (`saved`). So a run that was killed has sent none
    that it sends again when it continues.

    Args:
        shown: the dashboards.
        write: receives lines for the log of the run.
    """

    def __init__(self, shown: Sequence[Dashboard], write: Callable[[str], None]) -> None:
        self._shown, self._write = list(shown), write
        self._waiting: list[Mapping[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish("done" if kind is None else "preempted" if kind is Stopped else "failed")

    def row(self, row: Mapping[str, Any]) -> None:
        """Keeps a row of metrics until `saved`."""
        if self._shown:
            self._waiting.append(dict(row))

    def saved(self) -> None:
        """Called after a checkpoint was saved: sends the rows so far."""
        rows, self._waiting = self._waiting, []
        for row in rows:
            self._each("row", row)

    def series(self, name: str, steps: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
        self._each("series", name, steps, lines)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self._each("table", name, columns, rows)

    def pictures(self, paths: Sequence[Path]) -> None:
        self._each("pictures", paths)

    def summary(self, values: Mapping[str, Cell]) -> None:
        self._each("summary", values)

    def file(self, path: Path, kind: str) -> None:
        self._each("file", path, kind)

    def finish(self, status: Status) -> None:
        """Ends all of them; calls after the first do nothing. Rows that no checkpoint holds are not sent."""
        self._each("finish", status)
        self._shown = []

    def _each(self, method: str, *arguments: Any) -> None:
        for one in list(self._shown):
            try:
                getattr(one, method)(*arguments)
            except Exception as error:
                self._shown.remove(one)
                self._write(f"warning: {one.name}: {in_one_line(error)}; off from here on")
            for line in one.words():
                self._write(line)


def in_one_line(error: Exception) -> str:
    """Type and reason; a list of problems, as pydantic makes it, in one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= REASON_LETTERS else f"{text[:REASON_LETTERS]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
