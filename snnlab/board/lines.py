"""The board as lines of text: a row for each pair of loss and neuron, the best of each column marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from snnlab.board.standing import GROUPS, Standing
from snnlab.markdown import markdown_table
from snnlab.metric_names import ACC, BRIER, ECE, NLL, OF_CALIBRATION, MetricName

CLEAN = (ACC, *OF_CALIBRATION, BRIER, NLL)
SPOILED = (ACC, ECE)


@dataclass(frozen=True)
class Column:
    """A column: a metric over a group of conditions."""

    metric: MetricName
    group: str

    @property
    def head(self) -> str:
        return f"{'' if self.group == 'clean' else f'{self.group} '}{self.metric.heading}"


@dataclass(frozen=True)
class Line:
    """A row: the name of a pair with its number of seeds, and of each column the text and whether it is the best."""

    name: str
    train_acc: str
    cells: Sequence[tuple[str, bool]]


COLUMNS = (
    *(Column(metric, "clean") for metric in CLEAN),
    *(Column(metric, group) for group in ("noise", "corruption") for metric in SPOILED),
)
HEAD = ("loss, neuron", "training accuracy %", *(column.head for column in COLUMNS))


def lines(known: Sequence[Standing]) -> list[Line]:
    """A line for each pair, all of them measured."""
    best = {column: _best(column, known) for column in COLUMNS}
    found = []
    for one in known:
        cells = []
        for column in COLUMNS:
            mean, deviation = one.last(column.metric.key, GROUPS[column.group])
            if mean is None:
                cells.append(("-", False))
                continue
            spread = "" if deviation is None else f" ± {column.metric.number(deviation)}"
            cells.append((f"{column.metric.number(mean)}{spread}", mean == best[column] and len(known) > 1))
        lowest = f"{ACC.number(min(one.train_acc))}" if one.train_acc else "-"
        lowest += "" if one.by_heart else " (below 99)"
        found.append(Line(f"{one.name} ({len(one.seeds)})", lowest, cells))
    return found


def markdown(known: Sequence[Standing]) -> list[str]:
    """The lines of a table in Markdown."""
    body = [
        [one.name, one.train_acc, *(f"**{text}**" if best else text for text, best in one.cells)]
        for one in lines(known)
    ]
    return markdown_table(HEAD, body, words=(0,))


def _best(column: Column, known: Sequence[Standing]) -> float | None:
    values = [one.last(column.metric.key, GROUPS[column.group])[0] for one in known if one.by_heart]
    numbers = [value for value in values if value is not None]
    return (max if column.metric.higher_is_better else min)(numbers, default=None)
