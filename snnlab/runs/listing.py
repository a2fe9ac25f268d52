"""Runs as lines of text, in an order that is asked for."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.byte_count import byte_count
from snnlab.config.suggest import did_you_mean
from snnlab.duration import duration
from snnlab.errors import ConfigError
from snnlab.metric_names import ACC, ECE, MetricName, metric_of
from snnlab.runs.overview import STATES, RunLine

HEAD = ("state", "epoch", "left", "acc %", "ECE", "best acc %", "best ECE", "size", "run", "settings")
OWN_KEYS = ("name", "state", "epoch", "size")


def ordered(lines: Sequence[RunLine], key: str) -> list[RunLine]:
    """The runs by a metric of their last evaluation, the best first, or by name, state, epoch or size.

    Runs without the metric come last.

    Raises:
        ConfigError: there are evaluations, and none has the metric, or there is no such metric.
    """
    if key == "name":
        return sorted(lines, key=lambda one: one.folder)
    if key == "state":
        return sorted(lines, key=lambda one: (STATES.index(one.state), one.folder))
    if key == "epoch":
        return sorted(lines, key=lambda one: (-one.epoch, one.folder))
    if key == "size":
        return sorted(lines, key=lambda one: (-one.bytes, one.folder))
    metrics = sorted({name for one in lines for name in one.last if "/" in name})
    metric = metric_of(key)
    # Before the first evaluation no run has any, and `--watch` waits for it.
    if key not in metrics and (metrics or metric is None):
        raise ConfigError(
            f"--sort {key}: no run has this metric{did_you_mean(key, [*metrics, *OWN_KEYS])}",
            f"take {', '.join(OWN_KEYS)}, or a metric of results such as test/acc or test/ece",
        )
    sign = -1 if metric is not None and metric.higher_is_better else 1

    def place(one: RunLine) -> tuple[float, Path]:
        value = one.last.get(key)
        return (sign * value if isinstance(value, int | float) else math.inf, one.folder)

    return sorted(lines, key=place)


def table(lines: Sequence[RunLine], settings: Mapping[Path, Mapping[str, str]]) -> str:
    """A line for each run below a head, and what is wrong with damaged ones."""
    rows = [HEAD, *(_cells(one, settings.get(one.folder, {})) for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    text = [
        "  ".join(
            cell.rjust(width) if 0 < column < 8 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    problems = [f"{shown(one.folder)}: {problem}" for one in lines for problem in one.problems]
    return "\n".join([*text, *([""] if problems else []), *problems])


def as_json(line: RunLine, settings: Mapping[str, str]) -> dict[str, Any]:
    """What `--json` prints of a run: the main numbers of both evaluations, not all metrics."""
    return {
        "run": str(line.folder),
        "state": line.state,
        "epoch": line.epoch,
        "epochs": line.epochs,
        "seconds_left": line.seconds_left,
        "last": _main(line.last),
        "best": _main(line.best),
        "bytes": line.bytes,
        "process": line.holder,
        "reason": line.reason,
        "settings": dict(settings),
        "problems": list(line.problems),
    }


def progress(line: RunLine) -> str:
    """`3/16`, with a question mark for what is not known; a network that was not trained here has no epochs."""
    if line.state == "imported":
        return "-"
    return f"{line.epoch}/{line.epochs or '?'}"


def shown(folder: Path) -> str:
    """A run's path as the user would type it: relative below the current folder."""
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith(os.pardir) else relative


def _cells(line: RunLine, settings: Mapping[str, str]) -> tuple[str, ...]:
    return (
        line.state,
        progress(line),
        "-" if line.seconds_left is None else duration(line.seconds_left),
        *(_number(metrics, metric) for metrics in (line.last, line.best) for metric in (ACC, ECE)),
        byte_count(line.bytes),
        shown(line.folder),
        " ".join(
            [
                *([line.reason] if line.state == "imported" and line.reason else []),
                *(f"{key}={value}" for key, value in settings.items()),
            ]
        ),
    )


def _number(metrics: Mapping[str, Any], metric: MetricName) -> str:
    value = metrics.get(f"test/{metric.key}")
    return metric.number(value) if isinstance(value, int | float) else "-"


def _main(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    return {f"test/{one.key}": metrics.get(f"test/{one.key}") for one in (ACC, ECE)}
