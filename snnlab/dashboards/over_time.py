"""What was measured at every time step, as diagrams and as one table."""

import math
import re
from collections.abc import Mapping

from snnlab.dashboards.base import Cell
from snnlab.dashboards.several import Dashboards
from snnlab.metric_names import ACC, NLL, OF_CALIBRATION, READINGS, at_each_step

SHOWN = (ACC, *OF_CALIBRATION, NLL)


def is_of_a_time_step(key: str) -> bool:
    """Whether a metric belongs to one time step, as `test/acc_cum/t3` does."""
    return re.search(r"/t\d+$", key) is not None


def show_over_time(dashboards: Dashboards, metrics: Mapping[str, float | None], split: str = "test") -> None:
    """Sends a diagram for each metric, with a line for each reading of the logits, and a table of all.

    Args:
        dashboards: where to.
        metrics: flat metrics of one evaluation.
        split: first part of their names.
    """
    folder = f"over_time{split.removeprefix('test')}"
    columns: dict[str, dict[int, float | None]] = {}
    for metric in SHOWN:
        lines = {}
        for reading, label in READINGS.items():
            found = at_each_step(metrics, f"{split}/{metric.key}_{reading}")
            lines[label] = {step: _finite(value) for step, value in found.items()}
            columns[f"{metric.key}_{reading}"] = lines[label]
        steps = sorted({step for line in lines.values() for step in line})
        if steps:
            dashboards.series(
                f"{folder}/{metric.key}",
                steps,
                {label: [line.get(step) for step in steps] for label, line in lines.items()},
            )
    steps = sorted({step for column in columns.values() for step in column})
    if steps:
        rows: list[list[Cell]] = [[step, *(one.get(step) for one in columns.values())] for step in steps]
        dashboards.table(f"{folder}/table", ["time_step", *columns], rows)


def summary_of(name: str, epoch: int, metrics: Mapping[str, float | None]) -> dict[str, Cell]:
    """`best/epoch`, `best/test/acc`, ...: the metrics of an evaluation without those of single time steps."""
    overall = {key: value for key, value in metrics.items() if not is_of_a_time_step(key)}
    return {f"{name}/epoch": epoch, **{f"{name}/{key}": value for key, value in overall.items()}}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
