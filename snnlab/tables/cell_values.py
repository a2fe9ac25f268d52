"""Takes the number of a cell out of a run: a metric, a fact of the result, a setting, a further measurement."""

import csv
import io
import json
import math
import statistics
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from snnlab.config.origins import flatten
from snnlab.runs.results import read_metrics, read_result
from snnlab.tables.plan import PlannedRun


def cell_value(job: PlannedRun, metric: str, selection: str) -> float | None:
    """The number, or None where the run does not have it (yet).

    Args:
        job: the run.
        metric: `config/<key>`, `result/<path>`, `converted/<path>` (in the converted run's result), `measured/<path>`
            (in the JSON or CSV), `train/<key>` of the last epoch, else a metric of the result: with a shell pattern
            (`*`, `?`, `[0-9]`) the mean over what fits.
        selection: last | best.
    """
    kind, _, rest = metric.partition("/")
    if kind == "config":
        return _setting(job, rest)
    if job.waits is not None:
        return None
    if kind == "measured":
        return None if job.measured_file is None else _number(_inside(_read(job.measured_file), rest))
    if kind == "converted":
        return None if job.converted is None else _number(_inside(read_result(job.converted), rest))
    result = job.result
    if result is None:
        return None
    if kind == "result":
        return _fact(job, result, rest)
    if kind == "train":
        return _number(_last_training(job.folder).get(metric))
    metrics: Mapping[str, Any] = result.get(selection) or {}
    if not set(metric) & set("*?["):
        return _number(metrics.get(metric))
    found = [
        number
        for key, one in metrics.items()
        if fnmatchcase(key, metric) and (number := _number(one)) is not None
    ]
    return statistics.fmean(found) if found else None


def _setting(job: PlannedRun, key: str) -> float | None:
    if key == "trainer.samples_per_update":
        return float(job.cfg.trainer.batch_size * job.cfg.trainer.accumulate)
    return _number(dict(flatten(job.cfg.raw)).get(key))


def _fact(job: PlannedRun, result: Mapping[str, Any], key: str) -> float | None:
    if key == "seconds_per_batch":
        speed = _number(result.get("samples_per_second"))
        return job.cfg.trainer.batch_size / speed if speed else None
    if key == "seconds_per_epoch":
        seconds = _number(result.get("train_seconds"))
        return None if seconds is None else seconds / job.cfg.trainer.epochs
    return _number(_inside(result, key))


def _last_training(folder: Path) -> Mapping[str, Any]:
    """The metrics of the last epoch's training."""
    return [row for row in read_metrics(folder) if row["split"] == "train"][-1]


def _inside(content: Any, path: str) -> Any:
    for part in path.split("/"):
        if isinstance(content, list):
            content = content[int(part)] if part.isdigit() and int(part) < len(content) else None
        else:
            content = content.get(part) if isinstance(content, Mapping) else None
    return content


def _read(file: Path) -> Any:
    """The content of JSON; of CSV, the rows by their first column."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".csv":
        return json.loads(text)
    rows = list(csv.DictReader(io.StringIO(text)))
    return {next(iter(row.values())): {key: _parsed(value) for key, value in row.items()} for row in rows}


def _parsed(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def _number(value: Any) -> float | None:
    """A finite number; a CSV may hold others."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
