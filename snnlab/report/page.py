"""Writes self-contained HTML pages: what runs measured. No network, no script."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.metric_names import ACC, BRIER, ECE, LOSS, NLL, OF_CALIBRATION, READINGS, MetricName
from snnlab.plots.inline_svg import COLOURS
from snnlab.plots.line_chart import LineChart, Series
from snnlab.plots.reliability import inline_reliability
from snnlab.registry import SEVERAL
from snnlab.report.environment import environment
from snnlab.report.heat_map import HeatMap, confusion_map, rate_map
from snnlab.report.run_data import RunData
from snnlab.runs.identity import decides

TILES = (ACC, NLL, *OF_CALIBRATION)
MOST_CLASSES = 40
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class SeedMean:
    """Mean and deviation (None of one run) over the runs that differ in their seed only."""

    name: str
    colour: int
    count: int
    values: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class Diagram:
    """The reliability of one time step, as SVG."""

    step: int
    error: str
    svg: str


@dataclass(frozen=True)
class RunSection:
    """What the page shows of one run alone."""

    data: RunData
    label: str
    colour: int
    diagrams: Sequence[Diagram]
    rates: HeatMap | None
    confusion: HeatMap | None
    settings: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]


def run_page(runs: Sequence[RunData]) -> str:
    """The page of a run, or of several beside each other."""
    labels = labels_of(runs)
    kinds = but_for_the_seed(runs, labels)
    # Runs of one kind share a colour, unless they are all of one kind.
    groups = kinds if len(set(kinds)) > 1 else labels
    colours = _colours(groups)
    values: dict[str, Any] = {
        "title": runs[0].name if len(runs) == 1 else f"{len(runs)} runs compared",
        "runs": [
            _section(run, label, colours[group])
            for run, label, group in zip(runs, labels, groups, strict=True)
        ],
        "means": seed_means(runs, kinds),
        "tiles": TILES,
        "over_epochs": _over_epochs(runs, labels, groups),
        "over_time": _over_time(runs, labels, groups),
        "differing": differing(runs),
        "best": {one.key: _best(one, [run.metric(one.key) for run in runs]) for one in TILES},
        "alone": len(runs) == 1,
    }
    return environment(TEMPLATES).get_template("run.html.j2").render(values)


def differing(runs: Sequence[RunData]) -> list[tuple[str, list[str]]]:
    """The settings in which the runs differ, with each one's value."""
    absent = object()
    keys = dict.fromkeys(key for run in runs for key in run.config)
    found = []
    for key in keys:
        values = [run.config.get(key, absent) for run in runs]
        if any(value != values[0] for value in values) and not key.startswith("paths."):
            found.append((key, ["-" if value is absent else _text(value) for value in values]))
    return found


def labels_of(runs: Sequence[RunData]) -> list[str]:
    """What tells the runs apart, in few words: names of components first, then other settings, then the seed."""
    if len(runs) == 1:
        return [runs[0].name]
    rows = {key: values for key, values in differing(runs) if not key.startswith(("trainer.", "logger."))}
    names = [key for key in rows if key.endswith(".name") or key == "num_steps"]
    others = [key for key in rows if key not in names and key not in ("seed", "experiment")]
    chosen = names or others[:2]
    several = [kind for kind in SEVERAL if len({_names(run, kind) for run in runs}) > 1]
    labels = []
    for n, run in enumerate(runs):
        parts = [
            rows[key][n] if key.endswith(".name") else f"{key.rpartition('.')[2]} {rows[key][n]}"
            for key in chosen
        ]
        parts += [text for kind in several if (text := _names(run, kind))]
        labels.append(" ".join(parts))
    for label in dict.fromkeys(labels):
        twins = [n for n, one in enumerate(labels) if one == label]
        apart = [row for row in differing([runs[n] for n in twins]) if decides(row[0])]
        for key, values in apart[:2]:
            for n, value in zip(twins, values, strict=True):
                labels[n] += f" {key.rpartition('.')[2]} {value}"
    return [
        f"{label} seed {run.seed}".lstrip() if "seed" in rows or not label else label
        for run, label in zip(runs, labels, strict=True)
    ]


def but_for_the_seed(runs: Sequence[RunData], labels: Sequence[str]) -> list[str]:
    """What each run is called without its seed; empty where the seed is all that tells the runs apart."""
    return [label.removesuffix(f"seed {run.seed}").rstrip() for run, label in zip(runs, labels, strict=True)]


def seed_means(runs: Sequence[RunData], kinds: Sequence[str]) -> list[SeedMean]:
    """Over the runs that are called the same without their seed, where there are several."""
    found = []
    for kind, colour in _colours(kinds).items():
        members = [run for run, one in zip(runs, kinds, strict=True) if one == kind]
        if len(members) > 1:
            values = {one.key: _mean_of([run.metric(one.key) for run in members]) for one in TILES}
            found.append(SeedMean(kind, colour, len(members), values))
    return found


def _mean_of(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return None, None
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None


def _colours(groups: Sequence[str]) -> dict[str, int]:
    return {group: n % len(COLOURS) for n, group in enumerate(dict.fromkeys(groups))}


def _names(run: RunData, kind: str) -> str:
    """The components of a kind of which a run has any number."""
    found = (key.split(".")[1] for key in run.config if key.startswith(f"{kind}."))
    return "+".join(dict.fromkeys(found))


def _best(metric: MetricName, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if metric.higher_is_better else min(known)


def _section(run: RunData, label: str, colour: int) -> RunSection:
    bins = run.evaluation.get("reliability", {}).get("cum")
    diagrams = [_diagram(bins, step) for step in range(1, len(bins["count"]) + 1)] if bins else []
    counts, classes = run.evaluation.get("confusion"), run.evaluation.get("classes")
    confusion = None
    if counts and classes and len(classes) <= MOST_CLASSES:
        confusion = confusion_map(counts, classes)
    rates = run.rates
    return RunSection(
        run, label, colour, diagrams, rate_map(rates) if rates else None, confusion, _settings(run)
    )


def _diagram(bins: Mapping[str, Any], step: int) -> Diagram:
    svg, error = inline_reliability(bins, step)
    return Diagram(step, ECE.text(error), svg)


def _settings(run: RunData) -> list[tuple[str, list[tuple[str, str, str]]]]:
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for key, value in run.config.items():
        group, _, rest = key.partition(".")
        row = (rest or group, _text(value), run.origins.get(key, "as stored"))
        groups.setdefault(group if rest else "run", []).append(row)
    return list(groups.items())


def _over_epochs(runs: Sequence[RunData], labels: Sequence[str], groups: Sequence[str]) -> list[LineChart]:
    alone, colours = len(runs) == 1, _colours(groups)

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


def _over_time(runs: Sequence[RunData], labels: Sequence[str], groups: Sequence[str]) -> list[LineChart]:
    alone, colours = len(runs) == 1, _colours(groups)
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


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "none" if not value else str(value)
    return "null" if value is None else str(value)
