"""Whether the files of a run directory are whole and belong together: what `snnlab verify RUN` answers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.config.data_name import data_name
from snnlab.config.schema import GRAPH
from snnlab.data.identity import differing
from snnlab.errors import SnnlabError
from snnlab.runs.belonging import Settings
from snnlab.runs.config_file import read_config
from snnlab.runs.records import parse
from snnlab.runs.results import METRICS, RunResult, is_environment, is_result, is_row, is_status
from snnlab.runs.weights import content_hash


@dataclass(frozen=True)
class Finding:
    """What is wrong with a file of a run directory."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


def verify(folder: Path, *, checkpoints: bool = True) -> list[Finding]:
    """Everything in a run directory that is damaged, or that does not belong to the rest, whatever its name.

    Args:
        folder: the run directory.
        checkpoints: also reads the checkpoints, which takes as long as copying them.

    Raises:
        ConfigError: it is no run directory.
    """
    found: list[Finding] = []
    try:
        config = read_config(folder)
    except SnnlabError as error:
        if not (folder / "config.yaml").exists():
            raise
        found.append(Finding("config.yaml", error.message.removeprefix(f"{folder / 'config.yaml'}: ")))
        config = {}
    settings = None
    if config:
        try:
            settings = Settings(config)
        except ValueError as error:
            found.append(Finding("config.yaml", str(error)))
    status, result, env = (
        _object(folder, name, found) for name in ("status.json", "result.json", "env.json")
    )
    if status is not None and not is_status(status):
        found.append(Finding("status.json", "values are missing, or of another type"))
    whole = RunResult.of(result) if result is not None and is_result(result) else None
    if result is not None and whole is None:
        found.append(Finding("result.json", "values are missing, or of another type"))
    if status and status.get("status") == "done" and not (folder / "result.json").exists():
        found.append(Finding("result.json", "it is not there, though the run is done"))
    if whole and config:
        found += _of_result(whole, config, settings)
    rows = _rows(folder / METRICS, found)
    if whole and not whole.conversion:
        found += _of_rows(rows, whole)
    found += _of_graph(folder, config)
    if env is not None and not is_environment(env):
        found.append(Finding("env.json", "it names no versions of packages"))
    if checkpoints:
        found += _of_checkpoints(folder, rows, whole, config, settings)
    return found


def _object(folder: Path, name: str, found: list[Finding]) -> dict[str, Any] | None:
    try:
        return parse((folder / name).read_bytes())
    except FileNotFoundError:
        if name != "result.json":
            found.append(Finding(name, "it is not there"))
    except OSError as error:
        found.append(Finding(name, error.strerror or type(error).__name__))
    except ValueError as error:
        found.append(Finding(name, str(error)))
    return None


def _rows(file: Path, found: list[Finding]) -> list[dict[str, Any]]:
    rows = []
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        found.append(Finding(file.name, error.strerror or type(error).__name__))
        return []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(parse(line, is_row))
        except ValueError as error:
            found.append(Finding(file.name, f"line {number}: {error}"))
            break
    steps = [(row.get("step"), row.get("split")) for row in rows]
    if len(set(steps)) != len(steps):
        found.append(Finding(file.name, "rows are there twice"))
    return rows


def _of_result(result: RunResult, config: Mapping[str, Any], settings: Settings | None) -> Iterator[Finding]:
    dataset = config.get("dataset") or {}
    for name, there, here in (
        ("seed", result.seed, config.get("seed")),
        ("num_steps", result.num_steps, config.get("num_steps")),
        ("dataset", result.dataset, data_name(str(dataset.get("name")), dataset)),
    ):
        if there != here:
            yield Finding("result.json", f"its {name} is {there}, and {here} in config.yaml")
    if settings is not None and not settings.may_have(result.config_hash):
        yield Finding("result.json", f"it is of the settings {result.config_hash}, config.yaml of {settings}")


def _of_rows(rows: list[dict[str, Any]], result: RunResult) -> Iterator[Finding]:
    tested = [row for row in rows if row.get("split") == "test"]
    if not tested or not _equal(tested[-1], result.last):
        yield Finding(METRICS, "its last row of the test split is not the result")
    trained = [row for row in rows if row.get("split") == "train"]
    if len(trained) != result.epochs:
        yield Finding(
            METRICS, f"it has {len(trained)} rows of training, and the result {result.epochs} epochs"
        )


def _of_graph(folder: Path, config: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the NIR file of a network with model=nir, whose hash stands in the configuration."""
    if (config.get("model") or {}).get("name") != "nir":
        return
    kind, _, digest = str((config.get("init") or {}).get("identity", "")).partition(" ")
    try:
        now = content_hash(folder / GRAPH)
    except OSError as error:
        yield Finding(GRAPH, error.strerror or type(error).__name__)
        return
    if kind == "file" and now != digest:
        yield Finding(GRAPH, "it is not the file that the network was made of")


def _equal(row: Mapping[str, Any], metrics: Mapping[str, Any]) -> bool:
    return all(key in row and row[key] == value for key, value in metrics.items())


def _of_checkpoints(
    folder: Path,
    rows: list[dict[str, Any]],
    result: RunResult | None,
    config: Mapping[str, Any],
    settings: Settings | None,
) -> Iterator[Finding]:
    from snnlab.runs import checkpoint

    for name in ("last", "best"):
        file = f"checkpoints/{name}.pt"
        try:
            content = checkpoint.load(folder / file)
        except SnnlabError as error:
            if (folder / file).exists() or result is not None:
                yield Finding(file, error.message)
            continue
        digest, position = content.get("config_hash"), content.get("position", {})
        if result is not None and digest != result.config_hash:
            yield Finding(file, f"it is of the run {digest}, the result of {result.config_hash}")
        elif settings is not None and not settings.may_have(digest):
            yield Finding(file, f"it is of the settings {digest}, config.yaml of {settings}")
        if content.get("seed", config.get("seed")) != config.get("seed"):
            yield Finding(file, f"it is of seed {content.get('seed')}, config.yaml of {config.get('seed')}")
        data = None if result is None else result.data
        if data and content.get("data") and (said := differing(content["data"], data)):
            yield Finding(file, f"its data are not those of the result: {said}")
        epoch = position.get("epoch") if name == "last" else content.get("epoch")
        wanted = None if result is None else result.epochs if name == "last" else result.best_epoch
        if wanted is not None and epoch != wanted:
            yield Finding(file, f"it is of epoch {epoch}, result.json of {wanted}")
        count = position.get("rows")
        if name == "last" and isinstance(count, int) and len(rows) < count:
            yield Finding(METRICS, f"it has {len(rows)} rows, and {file} counts {count}")
        if not math.isfinite(position.get("seconds", 0.0)):
            yield Finding(file, "its time is no number")
