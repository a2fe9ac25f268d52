"""The identity of weights that a run starts or learns from, by their hash: its directory depends on them. No torch."""

import hashlib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from snnlab.config.schema import DistillConfig, InitConfig
from snnlab.errors import ConfigError
from snnlab.runs.config_file import find_run, read_config
from snnlab.runs.old_identity import old_hash


def identified_teacher(**values: Any) -> DistillConfig:
    """The settings with the teacher's absolute path and its identity.

    An identity that is there already is kept: it is that of a stored run, whose teacher may be gone.

    Raises:
        ConfigError: the teacher is not there, or is a timm model without weights.
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
    """The settings with the run's absolute path and the identity of its weights.

    An identity that is there already is kept: it is that of a stored run, whose origin may be gone.

    Raises:
        ConfigError: the run is not there.
    """
    init = InitConfig(**values)
    if init.run is None or init.identity:
        return init
    folder = run_of(init.run, "init.run")
    return replace(init, run=str(folder), identity=identity_of_run(folder, init.checkpoint, "init.run"))


def is_run(teacher: str) -> bool:
    """True for a directory or what looks like one, False for the name of a timm model."""
    return "/" in teacher or Path(teacher).expanduser().is_dir()


def run_of(folder: str, key: str) -> Path:
    """The run directory that a folder is or holds, absolute.

    Raises:
        ConfigError: there is none; the message begins with the key that named the folder.
    """
    try:
        return find_run(Path(os.path.abspath(Path(folder).expanduser())))
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", error.hint) from None


def identity_of_run(folder: Path, which: str, key: str) -> str:
    """What a run's checkpoint is: a hash of its configuration and that of its weights.

    The first is that of version 0.1.0 for every run, so that an identity stays what it was; the second alone tells
    checkpoints apart.

    Raises:
        ConfigError: it is not there; the message begins with the key that named the folder.
    """
    try:
        digest = old_hash(read_config(folder))
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", error.hint) from None
    return f"run {digest} {_hash_of(folder / 'checkpoints' / f'{which}.pt', key)}"


def _hash_of(file: Path, key: str) -> str:
    try:
        state = file.stat()
    except OSError:
        raise ConfigError(f"{key}: no such file: {file}", "train it first, or correct the path") from None
    return _content_hash(file, state.st_size, state.st_mtime_ns)


@cache
def _content_hash(file: Path, size: int, changed: int) -> str:
    """Sixteen hexadecimal digits; size and time of change tell when a file has to be read again."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]
