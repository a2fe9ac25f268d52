"""Reads the results of runs: result.json, status.json, metrics.jsonl."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Self, TypedDict, get_args, get_origin, get_type_hints

from snnlab.metric_names import ACC, ECE
from snnlab.runs.holder import holder
from snnlab.runs.records import read_record, read_rows

Result = Mapping[str, Any]
METRICS = "metrics.jsonl"
STATES = ("running", "done", "imported", "failed", "preempted")


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
        cuda_graph: number of batches, `updates` and batches of `evaluation` that ran as CUDA graphs and without, and
            why; None where there are none.
        chosen: what `auto` stood for, by key, such as `trainer.channels_last`.
        data: identity of the data, see `data/identity.py`; None in results of version 0.1.0.
        num_train, num_test: number of samples.
        selection: description of how the weights of `last` and `best` were chosen.
        last, best: metrics, by names such as `test/acc`.
        best_epoch: epoch after which `best` was measured.
        num_params: number of parameters of the network.
        word_vectors, num_words: origin of the word vectors and size of the vocabulary, for text data.
        train_seconds: time spent in training steps; None for an imported network.
        samples_per_second: training throughput; None if nothing was trained.
        test_seconds: duration of the last evaluation.
        peak_memory_mb: peak memory in MB.
        threads: number of CPU threads of the process that made it; on a CPU the last digits depend on it.
        warnings: what makes the numbers doubtful, in sentences: a loss that has grown by orders of magnitude.
        conversion: for a converted run: the ANN's run, and the comparison of both networks.
        imported: for an imported network: its file, that file's hash, and how its equations are stepped.
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
    cuda_graph: Mapping[str, Any] | None = None
    chosen: Mapping[str, Any] | None = None
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
    train_seconds: float | None
    samples_per_second: float | None
    test_seconds: float | None = None
    peak_memory_mb: float | None = None
    threads: int | None = None
    warnings: Sequence[str] | None = None
    conversion: Mapping[str, Any] | None = None
    imported: Mapping[str, Any] | None = None
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
    """The result of a finished run, or None, as if there were none where it is damaged."""
    return read_record(run / "result.json", is_result)


def read_status(run: Path) -> Result:
    """`{"status": running | done | imported | failed | preempted, "reason": ...}`; empty if it was never started.

    A run whose process is gone is not `running`, whatever its file says: it is `preempted`. One that was stopped after
    its result was written is `done`: nothing is left to do.
    """
    status = read_record(run / "status.json", is_status) or {}
    if status.get("status") == "running" and holder(run, status) is None:
        status = {"status": "preempted", "reason": "its process ended without a word"}
    if status.get("status") == "preempted" and read_result(run) is not None:
        return {"status": "done"}
    return status


def running_in(run: Path) -> str | None:
    """The process that works on this run now, such as `process 12 on host`, or None."""
    return holder(run, read_record(run / "status.json", is_status) or {})


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl, up to the first that is damaged; a last line that a kill cut short is left out."""
    return read_rows(run / METRICS, is_row)


def select_metric(result: Result | None, name: str) -> float:
    """A metric of the last epoch; NaN where there is none."""
    value = (result or {}).get("last", {}).get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def headline(result: Result | None) -> str:
    """The two main numbers of a result."""
    accuracy, ece = select_metric(result, "test/acc"), select_metric(result, "test/ece")
    return f"test/acc {ACC.text(accuracy)}, test/ece {ECE.text(ece)}" if result else "no result"


def is_result(content: Result) -> bool:
    """Whether the content of a result.json has its fields in their types, as far as its version knew them."""
    known = {name: kind for name, kind in get_type_hints(RunResult).items() if name in content}
    if "last" not in known or not all(_is_of(content[name], kind) for name, kind in known.items()):
        return False
    return all(
        isinstance(one, int | float | None)
        for name in ("last", "best")
        for one in content.get(name, {}).values()
    )


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value that was read from JSON has the type of a field; the values of mappings are not looked into."""
    if value is None:
        return type(None) in get_args(kind)
    kinds = tuple(get_origin(one) or one for one in get_args(kind) or (kind,) if one is not type(None))
    if get_origin(kind) is Mapping:
        return isinstance(value, Mapping)
    return isinstance(value, (*kinds, int) if float in kinds else kinds)


def is_status(content: Result) -> bool:
    """Whether the content of a status.json has its fields in their types."""
    kinds = {
        "status": str,
        "reason": str | None,
        "pid": int,
        "host": str,
        "heartbeat": int | float,
        "epoch": int,
        "epochs": int,
        "seconds_left": int | float | None,
    }
    return content.get("status") in STATES and all(
        isinstance(content[key], kinds[key]) for key in kinds if key in content
    )


def is_environment(content: Result) -> bool:
    """Whether the content of an env.json names versions of packages."""
    packages = content.get("packages")
    return isinstance(packages, Mapping) and all(isinstance(one, str) for one in packages.values())


def is_evaluation(content: Result) -> bool:
    """Whether the content of an evaluation.json has the numbers of its diagrams in lists."""
    confusion, reliability = content.get("confusion"), content.get("reliability")
    if not isinstance(content.get("classes"), list) or not _is_table(confusion, int | float):
        return False
    if not isinstance(reliability, Mapping) or not all(
        isinstance(one, Mapping) for one in reliability.values()
    ):
        return False
    return all(
        _is_table(table, int | float | None) for reading in reliability.values() for table in reading.values()
    )


def _is_table(content: object, kind: Any) -> bool:
    """Whether it is a list of rows of equal length, with values of a type."""
    if not isinstance(content, list) or not all(isinstance(row, list) for row in content):
        return False
    return len({len(row) for row in content}) <= 1 and all(
        isinstance(one, kind) for row in content for one in row
    )


def is_row(content: Result) -> bool:
    """Whether a line of metrics.jsonl says where in the training it was measured."""
    kinds = {"step": int, "epoch": int, "split": str}
    whole = all(isinstance(content[key], kind) for key, kind in kinds.items() if key in content)
    return whole and "epoch" in content and "split" in content
