"""The hash of a run's initial weights and of its teacher's, which is part of the run's identity. No torch."""

import hashlib
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from snnlab.config.schema import DistillConfig, InitConfig
from snnlab.errors import ConfigError
from snnlab.runs.config_file import find_run, read_config
from snnlab.runs.old_identity import old_hash
from snnlab.runs.records import parse

STRIPPED = "stripped.json"
"""In `checkpoints/`: by file, the hash that it `was` before it lost its optimiser's state, and the one that it `is`."""


def identified_teacher(**values: Any) -> DistillConfig:
    """The settings with the teacher's absolute path and its identity.

    An existing identity is kept: it belongs to a stored run, whose teacher may have been deleted.

    Raises:
        ConfigError: the teacher is missing, or is a timm model without weights.
    """
    distill = DistillConfig(**values)
    if distill.teacher is None or distill.identity:
        return distill
    if is_run(distill.teacher):
        folder = run_of(distill.teacher, "distill.teacher")
        identity = identity_of_run(folder, distill.checkpoint, "distill.teacher")
        return replace(distill, teacher=str(folder), identity=identity)
    if distill.pretrained == (distill.weights is not None):
        raise ConfigError(
            f"distill.teacher: '{distill.teacher}' is no directory, and as a timm model needs one source of weights",
            "give a run directory, or distill.pretrained=true, or distill.weights=<file>",
        )
    source = "pretrained" if distill.weights is None else _hash_of(distill.weights, "distill.weights")
    return replace(distill, identity=f"timm {distill.teacher} {source}")


def identified_init(**values: Any) -> InitConfig:
    """The settings with the absolute path of the run or the file, and the identity of its weights.

    A run may be given as a .safetensors file that it was exported to.

    An existing identity is kept: it belongs to a stored run, whose origin may have been deleted.

    Raises:
        ConfigError: the run or the file is missing.
    """
    init = InitConfig(**values)
    if init.identity:
        return init
    if init.run is not None and init.run.endswith(".safetensors") and Path(init.run).expanduser().is_file():
        # What `snnlab export` wrote is as good as the run itself.
        init = replace(init, run=None, file=Path(init.run))
    if init.file is not None:
        file = Path(os.path.abspath(init.file.expanduser()))
        return replace(init, file=file, identity=f"file {_hash_of(file, 'init.file')}")
    if init.run is None:
        return init
    folder = run_of(init.run, "init.run")
    return replace(init, run=str(folder), identity=identity_of_run(folder, init.checkpoint, "init.run"))


def is_run(teacher: str) -> bool:
    """True for a directory or what looks like one, False for the name of a timm model."""
    return "/" in teacher or Path(teacher).expanduser().is_dir()


def run_of(folder: str, key: str) -> Path:
    """The absolute run directory that a folder is or contains.

    Raises:
        ConfigError: there is none, or it is a file; the message begins with the key that named the folder.
    """
    if not folder.strip():  # as a path it would be the current directory
        raise ConfigError(
            f"{key}: expected a run directory, got '{folder}'", f"for example {key}=<run directory>"
        )
    if Path(folder).expanduser().is_file():
        takes_files = {"init.run": "init.file", "distill.teacher": "distill.weights (of a timm model)"}
        raise ConfigError(
            f"{key}: {folder} is a file, and a run directory is expected",
            f"{takes_files[key]} takes a file" if key in takes_files else "give the run's directory",
        )
    try:
        return find_run(Path(os.path.abspath(Path(folder).expanduser())))
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", error.hint) from None


def identity_of_run(folder: Path, which: str, key: str) -> str:
    """The identity of a run's checkpoint: a hash of its configuration and one of its weights.

    The first is computed as in version 0.1.0 for every run, so that identities do not change; the second alone
    distinguishes checkpoints.

    Raises:
        ConfigError: the checkpoint is missing; the message begins with the key that named the folder.
    """
    try:
        digest = old_hash(read_config(folder))
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", error.hint) from None
    file = folder / "checkpoints" / f"{which}.pt"
    other = "best" if which == "last" else "last"
    if not file.exists() and file.with_stem(other).exists():
        raise ConfigError(
            f"{key}: no such file: {file}",
            f"{key.partition('.')[0]}.checkpoint={other} takes the run's other checkpoint",
        )
    return f"run {digest} {_hash_before_stripping(file, key)}"


def _hash_before_stripping(file: Path, key: str) -> str:
    """The hash of a checkpoint, or what it was before `snnlab clean` took the optimiser's state out of it.

    So a run that started or learned from it keeps its identity.
    """
    now = _hash_of(file, key)
    try:
        was = parse((file.parent / STRIPPED).read_bytes()).get(file.name)
    except (OSError, ValueError):
        return now
    return was["was"] if isinstance(was, dict) and was.get("is") == now and is_hash(was.get("was")) else now


def is_hash(text: object) -> TypeGuard[str]:
    """Whether it is a hash as this module writes them."""
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{16}", text) is not None


def content_hash(file: Path) -> str:
    """A hash of sixteen hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def _hash_of(file: Path, key: str) -> str:
    try:
        state = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{key}: no such file: {file}", "train it first, or correct the path") from None
    return _content_hash(file, state.st_size, state.st_mtime_ns)


@cache
def _content_hash(file: Path, size: int, changed: int) -> str:
    """The file's hash; it is read again only if its size or modification time changes."""
    return content_hash(file)
