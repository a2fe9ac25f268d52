"""Writes self-contained HTML pages of runs, without scripts or external files."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.metric_names import ACC, ECE, NLL, OF_CALIBRATION, MetricName
from snnlab.plots.reliability import inline_reliability
from snnlab.report.environment import environment
from snnlab.report.heat_map import HeatMap, confusion_map, rate_map
from snnlab.report.labels import as_text, but_for_the_seed, differing, labels_of
from snnlab.report.run_charts import colours_of, over_epochs, over_time
from snnlab.report.run_data import RunData

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
    """The part of the page about a single run."""

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
    labels = [f"{label} ({run.note})" if run.note else label for label, run in zip(labels, runs, strict=True)]
    groups = kinds if len(set(kinds)) > 1 else labels
    colours = colours_of(groups)
    values: dict[str, Any] = {
        "title": labels[0] if len(runs) == 1 else f"{len(runs)} runs compared",
        "runs": [
            _section(run, label, colours[group])
            for run, label, group in zip(runs, labels, groups, strict=True)
        ],
        "means": seed_means(runs, kinds),
        "tiles": TILES,
        "over_epochs": over_epochs(runs, labels, groups),
        "over_time": over_time(runs, labels, groups),
        "differing": differing(runs),
        "best": {one.key: _best(one, [run.metric(one.key) for run in runs if not run.note]) for one in TILES},
        "alone": len(runs) == 1,
    }
    return environment(TEMPLATES).get_template("run.html.j2").render(values)


def seed_means(runs: Sequence[RunData], kinds: Sequence[str]) -> list[SeedMean]:
    """Over the finished runs that are called the same without their seed, where there are several."""
    found = []
    for kind, colour in colours_of(kinds).items():
        members = [run for run, one in zip(runs, kinds, strict=True) if one == kind and not run.note]
        if len(members) > 1:
            values = {one.key: _mean_of([run.metric(one.key) for run in members]) for one in TILES}
            found.append(SeedMean(kind, colour, len(members), values))
    return found


def _mean_of(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return None, None
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None


def _best(metric: MetricName, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if metric.higher_is_better else min(known)


def _section(run: RunData, label: str, colour: int) -> RunSection:
    bins = run.evaluation.get("reliability", {}).get("cum")
    diagrams = _diagrams(bins, run.settles) if bins else []
    counts, classes = run.evaluation.get("confusion"), run.evaluation.get("classes")
    confusion = None
    if counts and classes and len(classes) <= MOST_CLASSES:
        confusion = confusion_map(counts, classes)
    rates = run.rates
    return RunSection(
        run, label, colour, diagrams, rate_map(rates) if rates else None, confusion, _settings(run)
    )


def _diagrams(bins: Mapping[str, Any], settles: Sequence[float]) -> list[Diagram]:
    found = []
    for step in range(1, len(bins["count"]) + 1):
        svg, error = inline_reliability(bins, step, settles[step - 1] if step <= len(settles) else None)
        found.append(Diagram(step, ECE.text(error), svg))
    return found


def _settings(run: RunData) -> list[tuple[str, list[tuple[str, str, str]]]]:
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for key, value in run.config.items():
        group, _, rest = key.partition(".")
        row = (rest or group, as_text(value), run.origins.get(key, "as stored"))
        groups.setdefault(group if rest else "run", []).append(row)
    return list(groups.items())
