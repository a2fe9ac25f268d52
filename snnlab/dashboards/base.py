"""What a dashboard takes: records of a run, beside the files of the run directory, which are complete without it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

Status = Literal["done", "failed", "preempted"]
Cell = float | int | str | None


class Dashboard:
    """Takes the records of a run; a kind of record that it has no place for is left out.

    Every method may raise: `Dashboards` warns once of one that does, and leaves it out from then on.
    """

    name = "dashboard"
    """What warnings call it."""

    def row(self, row: Mapping[str, Any]) -> None:
        """Metrics at one optimiser step, flat, with `step` and `split` among them."""

    def series(self, name: str, steps: Sequence[int], lines: Mapping[str, Sequence[float | None]]) -> None:
        """Lines over the time steps, all in one diagram."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table."""

    def pictures(self, paths: Sequence[Path]) -> None:
        """Picture files; a picture is called `plots/<file name without ending>`."""

    def summary(self, values: Mapping[str, Cell]) -> None:
        """What a run is compared by."""

    def file(self, path: Path, kind: str) -> None:
        """A file to keep, such as a checkpoint; `kind` is what it is."""

    def finish(self, status: Status) -> None:
        """The end of the run."""

    def words(self) -> list[str]:
        """Lines for the log of the run that have come since the last call."""
        return []
