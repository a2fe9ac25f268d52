"""The line charts of one run, or of several in one picture: over epochs and over time steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from snnlab.metric_names import ACC, BRIER, ECE, LOSS, NLL, OF_CALIBRATION, READINGS, MetricName
from snnlab.plots.inline_svg import COLOURS
from snnlab.plots.line_chart import LineChart, Series
from snnlab.report.run_data import RunData


def colours_of(groups: Sequence[str]) -> dict[str, int]:
    """The number of each group's colour; beyond the last they begin again."""
    return {group: n % len(COLOURS) for n, group in enumerate(dict.fromkeys(groups))}


def over_epochs(runs: Sequence[RunData], labels: Sequence[str], groups: Sequence[str]) -> list[LineChart]:
    """The charts of training, those that have data."""
    alone, colours = len(runs) == 1, colours_of(groups)

    def chart(title: str, keys: Mapping[str, str], factor: float = 1.0, **more: Any) -> LineChart:
        series = []
        for run, label, group in zip(runs, labels, groups, strict=True):
            for which, (key, name) in enumerate(keys.items()):
                points = [(x, factor * y) for x, y in run.over_epochs(key)]
                if alone:
                    series.append(Series(name, which, points))
                    continue
                series.append(
                    Series(f"{label} {name}", colours[group], points, bool(which), f"{group} {name}")
                )
        return LineChart(title, series, "epoch", **more)

    def both(metric: MetricName, **more: Any) -> LineChart:
        keys = {f"{split}/{metric.key}": split for split in ("test", "train")}
        return chart(_above(metric), keys, metric.factor, digits=metric.digits, **more)

    charts = [
        both(ACC),
        both(LOSS),
        chart(f"{ECE.title} of the test split", {f"test/{ECE.key}": ECE.label}, from_zero=True),
        chart("Learning rate", {"train/lr": "learning rate"}, from_zero=True, digits=6),
    ]
    return [one for one in charts if one.shown]


def over_time(runs: Sequence[RunData], labels: Sequence[str], groups: Sequence[str]) -> list[LineChart]:
    """The charts of the last evaluation at every time step, those that have data."""
    alone, colours = len(runs) == 1, colours_of(groups)
    charts = []
    for metric in (ACC, *OF_CALIBRATION, NLL, BRIER):
        series = []
        for run, label, group in zip(runs, labels, groups, strict=True):
            for which, (reading, name) in enumerate(reversed(READINGS.items())):
                points = [(x, metric.factor * y) for x, y in run.over_time(metric.key, reading)]
                if alone:
                    series.append(Series(name, which, points, bool(which)))
                    continue
                series.append(
                    Series(f"{label}, {name}", colours[group], points, bool(which), f"{group}, {name}")
                )
        charts.append(
            LineChart(_above(metric), series, "time step", from_zero=metric is not ACC, digits=metric.digits)
        )
    return [one for one in charts if one.shown]


def _above(metric: MetricName) -> str:
    return f"{metric.title}, {metric.unit}".removesuffix(", ")
