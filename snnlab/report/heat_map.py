"""Tables whose cells are coloured by their numbers: firing rates, confusion of classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snnlab.plots.layer_names import layer_names


@dataclass(frozen=True)
class HeatCell:
    value: float
    share: float
    """Depth of its colour, 0 to 1."""
    text: str
    tip: str


@dataclass(frozen=True)
class HeatMap:
    """Rows and columns of coloured numbers."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[HeatCell]]


def rate_map(rates: Mapping[str, Sequence[float]]) -> HeatMap:
    """Firing rates of layers at time steps."""
    top = max((value for values in rates.values() for value in values), default=0.0) or 1.0
    steps = max((len(values) for values in rates.values()), default=0)
    names = layer_names(rates)
    cells = [
        [HeatCell(value, value / top, f"{value:.2f}", f"{names[layer]}, t = {step}: {value:.4f}")
         for step, value in enumerate(values, start=1)]
        for layer, values in rates.items()
    ]  # fmt: skip
    return HeatMap(list(names.values()), [str(step) for step in range(1, steps + 1)], cells)


def confusion_map(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> HeatMap:
    """Counts of true (rows) against predicted classes; the colour is the share of the row."""
    cells = []
    for row, true in zip(counts, classes, strict=True):
        total = sum(row) or 1
        cells.append(
            [
                HeatCell(
                    count, count / total, str(count) if count else "", f"{true} taken for {name}: {count}"
                )
                for count, name in zip(row, classes, strict=True)
            ]
        )
    return HeatMap(list(classes), list(classes), cells)
