"""Checks whether the run in a directory has the settings of a configuration before it is continued or reused."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.runs.config_file import read_config
from snnlab.runs.data_check import other_data
from snnlab.runs.deciding import choices, deciding
from snnlab.runs.records import say_damaged
from snnlab.runs.results import Result, read_result

SHOWN = 3


def differences(cfg: RunConfig, folder: Path) -> dict[str, tuple[Any, Any]]:
    """The deciding keys whose values differ: key -> (value in the directory's config.yaml, value in the configuration).

    Keys that only one of both has are not compared, nor those that are `auto`, which stands for any value. Values
    differ if a default has changed since the run was made, or if the file was edited.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        state = (folder / "config.yaml").stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    stored = _stored(folder, cfg.plugins, state.st_mtime_ns, state.st_size)
    wanted = _comparable(cfg.raw, cfg.plugins)
    return {
        key: (stored[key], value)
        for key, value in wanted.items()
        if key in stored and stored[key] != value and key not in cfg.chosen
    }


def refuse_other_settings(cfg: RunConfig, folder: Path) -> None:
    """Refuses to continue or reuse a run under another configuration.

    Raises:
        ConfigError: a deciding key differs, and `trainer.on_existing` is not restart.
    """
    if cfg.trainer.on_existing == "restart":
        return
    if found := differences(cfg, folder):
        shown = "; ".join(
            f"{key}: {there!r}, not {here!r}" for key, (there, here) in [*found.items()][:SHOWN]
        )
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise ConfigError(
            f"{folder} was made with other settings: {shown}{more}",
            "trainer.on_existing=restart forgets that run; or give the settings that it has, see its config.yaml",
        )


def stored_result(cfg: RunConfig, folder: Path) -> Result | None:
    """The result of a finished run with these settings and data, or None, also where its configuration is damaged."""
    result = read_result(folder)
    try:
        other = result is None or differences(cfg, folder) or other_data(cfg, result.get("data"))
        return None if other else result
    except ConfigError as error:
        say_damaged(folder / "config.yaml", error.message)
        return None


@lru_cache(maxsize=4096)
def _stored(folder: Path, plugins: tuple[str, ...], changed: int, size: int) -> Mapping[str, Any]:
    """The stored configuration; the file is read again only if its time or size changes."""
    return _comparable(read_config(folder), plugins)


def _comparable(raw: Mapping[str, Any], plugins: tuple[str, ...]) -> dict[str, Any]:
    return {**choices(raw), **{one.path: one.value for one in deciding(raw, plugins)}}
