"""What is to be said about a run in one line: its state, how far it is, its numbers, its size. No torch, no error."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from snnlab.errors import ConfigError
from snnlab.metric_names import metric_of
from snnlab.runs.config_file import read_config
from snnlab.runs.holder import holder
from snnlab.runs.records import parse
from snnlab.runs.results import METRICS, is_result, is_row, is_status

State = Literal["running", "finished", "imported", "failed", "preempted", "dead", "damaged"]
STATES = get_args(State)


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run as it is seen from outside.

    Attributes:
        folder: the run directory.
        state: `dead` is a run that never said that it ended, and whose process is gone; `damaged` one of which a file
            that was read is not whole; `imported` a network from elsewhere, which was not trained here.
        epoch: finished epochs.
        epochs: epochs in all; None where that cannot be read.
        seconds_left: of a running run, None where that is not known yet.
        last, best: metrics of the last evaluation and of the one that was best by `trainer.select`.
        bytes: size on the disk.
        holder: the process that works in it, such as `process 12 on host`.
        reason: why it failed, stopped or is damaged; of an imported network, where it is from.
        config: the configuration; empty where it cannot be read.
        problems: what is wrong with its files.
    """

    folder: Path
    state: State
    epoch: int
    epochs: int | None
    seconds_left: float | None
    last: Mapping[str, Any]
    best: Mapping[str, Any]
    bytes: int
    holder: str | None
    reason: str | None
    config: Mapping[str, Any] = field(repr=False)
    problems: tuple[str, ...]


def run_line(folder: Path) -> RunLine:
    """Reads a run directory; what is damaged in it is said among its problems."""
    problems: list[str] = []
    config = _config(folder, problems)
    status = _record(folder, "status.json", is_status, problems)
    result = _record(folder, "result.json", is_result, problems)
    now = holder(folder, status or {})
    rows = _evaluations(folder, config, problems) if result is None else (0, {}, {})
    state, reason = _state(status, result, now, problems)
    epoch = max(_whole(result, "epochs"), _whole(status, "epoch"), rows[0])
    epochs = _whole(result, "epochs") or _whole(status, "epochs") or _whole(config.get("trainer"), "epochs")
    return RunLine(
        folder=folder,
        state=state,
        epoch=epoch,
        epochs=epochs or None,
        seconds_left=_seconds_left(status) if state == "running" else None,
        last=result["last"] if result else rows[1],
        best=result.get("best", {}) if result else rows[2],
        bytes=size_of(folder),
        holder=now,
        reason=reason,
        config=config,
        problems=tuple(problems),
    )


def _state(
    status: Mapping[str, Any] | None, result: Mapping[str, Any] | None, now: str | None, problems: list[str]
) -> tuple[State, str | None]:
    if now is not None:
        return "running", None
    said = (status or {}).get("status")
    if said == "done" and result is None and not problems:
        problems.append("result.json: it is not there, though the run is done")
    if problems:
        return "damaged", problems[0]
    if said == "imported":
        return "imported", (status or {}).get("reason")
    if result is not None:
        return "finished", None
    if said in ("failed", "preempted"):
        return said, (status or {}).get("reason")
    return "dead", "its process ended without a word"


def _config(folder: Path, problems: list[str]) -> dict[str, Any]:
    # A run that was killed before its first file has lost nothing.
    if not any((folder / name).exists() for name in ("config.yaml", "status.json", "result.json")):
        return {}
    try:
        return read_config(folder)
    except ConfigError as error:
        problems.append(error.message.replace(f"{folder}{os.sep}", ""))
        return {}


def _record(
    folder: Path, name: str, is_whole: Callable[[dict[str, Any]], bool], problems: list[str]
) -> dict[str, Any] | None:
    try:
        return parse((folder / name).read_bytes(), is_whole)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        problems.append(f"{name}: {error.strerror or type(error).__name__}")
    except ValueError as error:
        problems.append(f"{name}: {error}")
    return None


def _evaluations(
    folder: Path, config: Mapping[str, Any], problems: list[str]
) -> tuple[int, Mapping[str, Any], Mapping[str, Any]]:
    """Finished epochs, and the last and the best evaluation, of a run that has no result yet."""
    try:
        lines = (folder / METRICS).read_bytes().split(b"\n")[:-1]  # the rest is a row that is being written
    except FileNotFoundError:
        return 0, {}, {}
    except OSError as error:
        problems.append(f"{METRICS}: {error.strerror or type(error).__name__}")
        return 0, {}, {}
    epoch, best_value = 0, None
    last: Mapping[str, Any] = {}
    best: Mapping[str, Any] = {}
    select = str((config.get("trainer") or {}).get("select", "test/acc"))
    metric = metric_of(select)
    for number, line in enumerate(lines, start=1):
        try:
            row = parse(line, is_row)
        except ValueError as error:
            problems.append(f"{METRICS}: line {number}: {error}")
            break
        epoch = max(epoch, row["epoch"])
        if row["split"] != "test":
            continue
        last, value = row, row.get(select)
        if metric is None or not isinstance(value, int | float):
            continue
        if best_value is None or metric.is_better(value, best_value):
            best, best_value = row, value
    return epoch, last, best


def _seconds_left(status: Mapping[str, Any] | None) -> float | None:
    """What was left at the last heartbeat, less the time since then."""
    left, beat = (status or {}).get("seconds_left"), (status or {}).get("heartbeat")
    if left is None or beat is None:
        return None
    return float(max(left - max(time.time() - beat, 0.0), 0.0))


def _whole(content: Any, key: str) -> int:
    value = content.get(key) if isinstance(content, Mapping) else None
    return value if isinstance(value, int) else 0


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; what vanishes meanwhile does not count."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for one in entries:
            with suppress(OSError):
                inside = one.is_dir(follow_symlinks=False)
                total += size_of(folder / one.name) if inside else one.stat(follow_symlinks=False).st_size
    return total
