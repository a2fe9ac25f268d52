"""Reads the value of a cell from a run: a metric, another entry of the result, a setting, a further measurement."""

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
from snnlab.tables.planned import PlannedRun


def cell_value(run: PlannedRun, metric: str, selection: str) -> float | None:
    """The number, or None where the run does not have it (yet).

    Args:
        run: the run.
        metric: `config/<key>`, `result/<path>`, `converted/<path>` (in the converted run's result), `measured/<path>`
            (in the JSON or CSV), `train/<key>` of the last epoch, else a metric of the result: with a shell pattern
            (`*`, `?`, `[0-9]`) the mean over the metrics that match.
        selection: last | best.
    """
    kind, _, rest = metric.partition("/")
    if kind == "config":
        return _setting(run, rest)
    if run.waits is not None:
        return None
    if kind == "measured":
        return None if run.measured_file is None else _number(_inside(_read(run.measured_file), rest))
    if kind == "converted":
        return None if run.converted is None else _number(_inside(read_result(run.converted), rest))
    result = run.result
    if result is None:
        return None
    if kind == "result":
        return _fact(run, result, rest)
    if kind == "train":
        return _number(_last_training(run.folder).get(metric))
    metrics: Mapping[str, Any] = result.get(selection) or {}
    if not set(metric) & set("*?["):
        return _number(metrics.get(metric))
    found = [
        number
        for key, one in metrics.items()
        if fnmatchcase(key, metric) and (number := _number(one)) is not None
    ]
    return statistics.fmean(found) if found else None


def _setting(run: PlannedRun, key: str) -> float | None:
    if key == "trainer.samples_per_update":
        return float(run.cfg.trainer.batch_size * run.cfg.trainer.accumulate)
    return _number(dict(flatten(run.cfg.raw)).get(key))


def _fact(run: PlannedRun, result: Mapping[str, Any], key: str) -> float | None:
    if key == "seconds_per_batch":
        speed = _number(result.get("samples_per_second"))
        return run.cfg.trainer.batch_size / speed if speed else None
    if key == "seconds_per_epoch":
        seconds = _number(result.get("train_seconds"))
        return None if seconds is None else seconds / run.cfg.trainer.epochs
    return _number(_inside(result, key))


def _last_training(folder: Path) -> Mapping[str, Any]:
    """The metrics of the last epoch's training; empty where the rows are lost."""
    trained = [row for row in read_metrics(folder) if row["split"] == "train"]
    return trained[-1] if trained else {}


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
