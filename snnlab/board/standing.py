"""The measurements of a pair of loss and neuron, averaged over its seeds."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snnlab.evaluate.corruption_names import CORRUPTIONS, NOISES
from snnlab.runs.records import read_record
from snnlab.tables.cell_values import cell_value
from snnlab.tables.planned import Cell

BY_HEART = 0.99
"""Training accuracy from which a run counts as trained in the regime of the scale `converged`."""
GROUPS: Mapping[str, tuple[str, ...]] = {"clean": ("clean",), "noise": NOISES, "corruption": CORRUPTIONS}


@dataclass(frozen=True)
class Standing:
    """What is known of a pair.

    Attributes:
        loss, neuron: the pair.
        seeds: the rows of each measured seed, one for each condition.
        train_acc: training accuracy in the last epoch, of each of them.
    """

    loss: str
    neuron: str
    seeds: Sequence[Sequence[Mapping[str, Any]]]
    train_acc: Sequence[float]

    @property
    def name(self) -> str:
        return f"{self.loss}, {self.neuron}"

    @property
    def by_heart(self) -> bool:
        """Whether every run knows its training samples; a network that does not may be well calibrated for it."""
        return min(self.train_acc, default=1.0) >= BY_HEART

    def last(self, key: str, kinds: Iterable[str]) -> tuple[float | None, float | None]:
        """Mean and deviation over the seeds of a metric of the cumulative mean at the last step, over kinds.

        Each kind counts once, whatever the number of its levels.
        """
        values = [one[-1] for one in self._of_seeds(f"{key}_cum", kinds) if one]
        if not values:
            return None, None
        return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None

    def over_time(self, key: str, reading: str, kinds: Iterable[str]) -> list[float]:
        """A metric at each time step, the mean over kinds and seeds; empty if nothing is known."""
        return _mean_of(self._of_seeds(f"{key}_{reading}", kinds))

    def _of_seeds(self, key: str, kinds: Iterable[str]) -> list[list[float]]:
        wanted = list(kinds)
        found = []
        for rows in self.seeds:
            of_kinds = (_mean_of([row[key] for row in rows if row["kind"] == kind]) for kind in wanted)
            found.append(_mean_of([one for one in of_kinds if one]))
        return [one for one in found if one]


def standing(cell: Cell) -> Standing:
    """Reads what is measured of a planned pair."""
    loss, neuron = cell.row.labels
    rows, train = [], []
    for run in cell.runs:
        file = run.measured_file if run.waits is None else None
        content = read_record(file, lambda one: isinstance(one.get("rows"), list)) if file else None
        if content:
            rows.append(content["rows"])
            accuracy = cell_value(run, "train/acc", "last")
            train += [] if accuracy is None else [accuracy]
    return Standing(loss, neuron, rows, train)


def _mean_of(lists: Sequence[Sequence[float]]) -> list[float]:
    """The mean of lists of equal length, entry by entry."""
    whole = [one for one in lists if len(one) == max(map(len, lists), default=0)]
    return [statistics.fmean(values) for values in zip(*whole, strict=True)]
