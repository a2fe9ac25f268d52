"""Writes the board as one self-contained HTML page, without scripts or external files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.board.lines import CLEAN, HEAD, SPOILED, lines
from snnlab.board.standing import GROUPS, Standing
from snnlab.metric_names import OF_CALIBRATION, MetricName
from snnlab.plots.line_chart import LineChart, Series
from snnlab.report.environment import environment
from snnlab.report.heat_map import HeatCell, HeatMap
from snnlab.report.run_charts import colours_of

TEMPLATES = Path(__file__).parent / "templates"


def board_page(standings: Sequence[Standing], facts: Sequence[tuple[str, str]]) -> str:
    """The page of all pairs; those without a measurement are named as such.

    Args:
        standings: all pairs, in the order of the page.
        facts: what was done on what, as names and values.
    """
    known = [one for one in standings if one.seeds]
    values: dict[str, Any] = {
        "title": "Board",
        "facts": facts,
        "head": HEAD,
        "lines": lines(known),
        "missing": [one.name for one in standings if not one.seeds],
        "neurons": [(name, _charts(members)) for name, members in _by_neuron(known).items()],
        "maps": [
            (metric.title, kinds_map(known, metric)) for metric in SPOILED if len(_kinds(known)) and known
        ],
    }
    return environment(TEMPLATES).get_template("board.html.j2").render(values)


def _by_neuron(known: Sequence[Standing]) -> Mapping[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for one in known:
        found.setdefault(one.neuron, []).append(one)
    return found


def _charts(members: Sequence[Standing]) -> list[LineChart]:
    """Each metric against the time step, a line for each loss: clean samples, and dashed the mean over corruptions."""
    charts = []
    colours = colours_of([one.loss for one in members])
    for metric in CLEAN:
        series = []
        for one in members:
            for group, dashed in (("clean", False), ("corruption", True)):
                values = one.over_time(metric.key, "cum", GROUPS[group])
                points = [(float(t), metric.factor * value) for t, value in enumerate(values, start=1)]
                label = f"{one.loss}, {'corrupted' if dashed else 'clean'}"
                series.append(Series(label, colours[one.loss], points, dashed))
        title = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
        charts.append(LineChart(title, series, "time step", metric in OF_CALIBRATION, metric.digits))
    return [chart for chart in charts if chart.shown]


def kinds_map(known: Sequence[Standing], metric: MetricName) -> HeatMap:
    """A metric of each pair under each kind of noise and corruption; the colour is its place between all values."""
    kinds = _kinds(known)
    means = [[one.last(metric.key, (kind,))[0] for kind in kinds] for one in known]
    numbers = [value for row in means for value in row if value is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    cells = [
        [
            _cell(value, low, high, metric, f"{one.name}, {kind}")
            for kind, value in zip(kinds, row, strict=True)
        ]
        for one, row in zip(known, means, strict=True)
    ]
    return HeatMap([one.name for one in known], [_title(kind) for kind in kinds], cells)


def _cell(value: float | None, low: float, high: float, metric: MetricName, where: str) -> HeatCell:
    if value is None:
        return HeatCell(0.0, 0.0, "", f"{where}: not measured")
    share = (value - low) / (high - low) if high > low else 0.0
    digits = 0 if metric.unit else 2
    return HeatCell(value, share, f"{metric.factor * value:.{digits}f}", f"{where}: {metric.text(value)}")


def _title(kind: str) -> str:
    """CIFAR-C has a Gaussian noise too, with other levels."""
    name = "salt and pepper" if kind == "salt_pepper" else kind.replace("_", " ")
    return f"noise: {name}" if kind in GROUPS["noise"] else name


def _kinds(known: Sequence[Standing]) -> list[str]:
    """The kinds that any pair was measured under, in the order of the page."""
    there = {row["kind"] for one in known for rows in one.seeds for row in rows}
    return [kind for kinds in GROUPS.values() for kind in kinds if kind in there]
