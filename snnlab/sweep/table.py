"""The table at the end of a sweep: a row for each combination, mean and deviation over its seeds."""

import hashlib
import json
import math
import shlex
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.atomic import write_text
from snnlab.errors import PREEMPTED
from snnlab.markdown import markdown_table
from snnlab.metric_names import ACC, OF_CALIBRATION, MetricName
from snnlab.runs.results import read_result, select_metric
from snnlab.sweep.point import Point

COLUMNS = {f"test/{one.key}": one for one in (ACC, *OF_CALIBRATION)}


class SweepTable:
    """The outcome of a sweep, as text and as files.

    Args:
        points: all points, with their outcome.
        overrides: the sweep's command line.
        refused: the trials of a search that could not be run, in words, and why.
        runs: the folder of runs, where all are refused.
    """

    def __init__(
        self,
        points: Sequence[Point],
        overrides: Sequence[str],
        refused: Mapping[str, str] = MappingProxyType({}),
        runs: Path = Path(),
    ) -> None:
        self.points = points
        self.overrides = overrides
        self.refused = refused
        self.runs = points[0].cfg.paths.runs if points else runs
        self.results = {
            point.run_dir: result
            for point in points
            if point.status == "done" and (result := read_result(point.run_dir)) is not None
        }

    @property
    def exit_code(self) -> int:
        """75 if a run was interrupted, else 1 if one failed or was not run, else 0."""
        statuses = {point.status for point in self.points} | ({"failed"} if self.refused else set())
        return PREEMPTED if "interrupted" in statuses else int(statuses != {"done"})

    def rows(self) -> list[dict[str, Any]]:
        """One mapping for each row: label, n, metrics, status."""
        groups: dict[str, list[Point]] = {}
        for point in self.points:
            groups.setdefault(point.row, []).append(point)
        rows = [self._row(label, group) for label, group in groups.items()]
        return rows + [self._row(label, ()) | {"status": "1 failed"} for label in self.refused]

    def text(self) -> str:
        """The table in Markdown, with the failures below."""
        head = ["", *(metric.heading for metric in COLUMNS.values()), "n", "status"]
        body = []
        for row in self.rows():
            cells = [_cell(row["metrics"][key], metric) for key, metric in COLUMNS.items()]
            body.append([row["label"], *cells, str(row["n"]), row["status"]])
        text = markdown_table(head, body, words=(0,))
        failures = [
            f"- {point.status}: {point.label}: {point.reason}"
            for point in self.points
            if point.status in ("failed", "running elsewhere")
        ]
        failures += [f"- failed: {label}: {reason}" for label, reason in self.refused.items()]
        note = (
            "Mean +- standard deviation over seeds (n of them), at the last time step, after the last epoch."
        )
        return "\n".join(["", *text, "", note, *([""] if failures else []), *failures])

    def write(self) -> Path:
        """Writes sweep-<hash>.md and .json beside the runs and returns the former."""
        experiments = {point.cfg.experiment for point in self.points}
        names = sorted(str(point.run_dir.relative_to(point.cfg.paths.runs)) for point in self.points)
        names += self.refused
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
        folder = self.runs / experiments.pop() if len(experiments) == 1 else self.runs
        folder.mkdir(parents=True, exist_ok=True)
        command = f"snnlab train -m {shlex.join(self.overrides)}"
        file = folder / f"sweep-{digest}.md"
        write_text(file, f"`{command}`\n{self.text()}\n")
        content = {
            "command": command,
            "rows": self.rows(),
            "runs": [self._run(point) for point in self.points],
            **({"refused": dict(self.refused)} if self.refused else {}),
        }
        write_text(file.with_suffix(".json"), json.dumps(content, indent=2) + "\n")
        return file

    def _row(self, label: str, points: Sequence[Point]) -> dict[str, Any]:
        results = [self.results[point.run_dir] for point in points if point.run_dir in self.results]
        metrics = {}
        for metric in COLUMNS:
            values = [value for one in results if not math.isnan(value := select_metric(one, metric))]
            metrics[metric] = {
                "mean": statistics.fmean(values) if values else None,
                "std": statistics.stdev(values) if len(values) > 1 else None,
                "values": values,
            }
        counts = {
            status: sum(point.status == status for point in points)
            for status in ("done", "failed", "interrupted", "running elsewhere", "not run")
        }
        status = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return {"label": label, "n": len(results), "metrics": metrics, "status": status}

    def _run(self, point: Point) -> dict[str, Any]:
        result = self.results.get(point.run_dir, {})
        return {
            "overrides": dict(point.chosen),
            "seed": point.cfg.seed,
            "run_dir": str(point.run_dir),
            "status": point.status,
            "reason": point.reason,
            "last": result.get("last"),
            "best": result.get("best"),
        }


def _cell(found: Mapping[str, Any], metric: MetricName) -> str:
    if found["mean"] is None:
        return "-"
    mean = metric.number(found["mean"])
    return mean if found["std"] is None else f"{mean} +- {metric.number(found['std'])}"
