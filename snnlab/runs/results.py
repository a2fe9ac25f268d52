"""Reads the results of runs: result.json, status.json, metrics.jsonl."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Self, TypedDict

from snnlab.metric_names import ACC, ECE

Result = Mapping[str, Any]
METRICS = "metrics.jsonl"


class RunFacts(TypedDict):
    """What a result says of its configuration."""

    experiment: str
    variant: str
    config_hash: str
    seed: int
    num_steps: int
    dataset: str
    synthetic: bool


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The content of result.json. A field with a default is left out of the file where it is None.

    Attributes:
        status: `done`.
        experiment, variant, config_hash, seed: the parts of the run directory's path.
        code: version of snnlab, and the commit if it is known.
        epochs: number of trained epochs, after which `last` was measured.
        num_steps: time steps T.
        dataset, split: name of the data set and of its split.
        synthetic: whether the data were generated with the shapes of the data set.
        backends: number of neuron calls for each back end.
        data: identity of the data, see `data/identity.py`; None in results of version 0.1.0.
        num_train, num_test: number of samples.
        selection: description of how the weights of `last` and `best` were chosen.
        last, best: metrics, by names such as `test/acc`.
        best_epoch: epoch after which `best` was measured.
        num_params: number of parameters of the network.
        word_vectors, num_words: origin of the word vectors and size of the vocabulary, for text data.
        train_seconds: time spent in training steps.
        samples_per_second: training throughput; None if nothing was trained.
        test_seconds: duration of the last evaluation.
        peak_memory_mb: peak memory in MB.
        conversion: for a converted run: the ANN's run, and the comparison of both networks.
    """

    status: str = "done"
    experiment: str
    variant: str
    config_hash: str
    code: str
    seed: int
    epochs: int
    num_steps: int
    dataset: str
    synthetic: bool
    backends: Mapping[str, int] | None = None
    split: str
    num_train: int
    num_test: int
    selection: Mapping[str, str]
    last: Mapping[str, Any]
    best: Mapping[str, Any]
    best_epoch: int
    num_params: int
    word_vectors: str | None = None
    num_words: int | None = None
    train_seconds: float
    samples_per_second: float | None
    test_seconds: float | None = None
    peak_memory_mb: float | None = None
    conversion: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, stored: Result) -> Self | None:
        """The result in a file, or None if it lacks a value; keys of other versions are ignored."""
        known = {one.name: stored[one.name] for one in fields(cls) if one.name in stored}
        needed = {one.name for one in fields(cls) if one.default is MISSING}
        return cls(**known) if needed <= set(known) else None

    def as_mapping(self) -> dict[str, Any]:
        """What the file holds."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        optional = {one.name for one in fields(self) if one.default is None}
        return {key: value for key, value in values.items() if value is not None or key not in optional}


def read_result(run: Path) -> Result | None:
    """The result of a finished run, or None."""
    return _read(run / "result.json")


def read_status(run: Path) -> Result:
    """`{"status": running | done | failed | preempted, "reason": ...}`; empty if it was never started."""
    return _read(run / "status.json") or {}


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl so far; a last line that a kill cut short is left out."""
    file = run / METRICS
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def select_metric(result: Result | None, name: str) -> float:
    """A metric of the last epoch; NaN where there is none."""
    value = (result or {}).get("last", {}).get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def headline(result: Result | None) -> str:
    """The two main numbers of a result."""
    accuracy, ece = select_metric(result, "test/acc"), select_metric(result, "test/ece")
    return f"test/acc {ACC.text(accuracy)}, test/ece {ECE.text(ece)}" if result else "no result"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None
