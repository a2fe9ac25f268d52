"""Reads the config.yaml of a run directory."""

from pathlib import Path
from typing import Any

import yaml

from snnlab.errors import ConfigError

MOST_VALUES = 100_000


def find_run(folder: Path) -> Path:
    """The run directory that a folder names: itself, or the only run below it.

    So `runs/quickstart` names a run as long as that experiment was run only once.

    Raises:
        ConfigError: there are several runs below it. (If there is none, `read_config` raises an error.)
    """
    if (folder / "config.yaml").is_file():
        return folder
    inside = sorted(
        path.parent for pattern in ("*/config.yaml", "*/*/config.yaml") for path in folder.glob(pattern)
    )
    if len(inside) > 1:
        raise ConfigError(
            f"{folder} holds {len(inside)} runs", f"name one of them: {', '.join(map(str, inside[:6]))}"
        )
    return inside[0] if inside else folder


def read_config(run: Path) -> dict[str, Any]:
    """The config.yaml of a run directory.

    Raises:
        ConfigError: the file is missing or cannot be read.
    """
    file = run / "config.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        inside = sorted(path.parent for path in run.glob("*/config.yaml"))
        hint = f"did you mean {inside[0]}?" if inside else "a run directory ends in seed<k>"
        raise ConfigError(f"{run} is not a run directory: it has no config.yaml", hint) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not valid YAML", " ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected a mapping", "restore it from the run's log, or train again")
    if not _is_bounded(content):
        raise ConfigError(
            f"{file}: more than {MOST_VALUES:,} values, by its aliases", "no run writes such a file"
        )
    return content


def _is_bounded(content: Any) -> bool:
    """False if aliases stand for more values than a configuration has, or for themselves."""
    waiting, count = [content], 0
    while waiting and count <= MOST_VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return count <= MOST_VALUES
