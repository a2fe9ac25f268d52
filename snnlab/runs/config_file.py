"""The config.yaml that a run leaves in its directory."""

from pathlib import Path
from typing import Any

import yaml

from snnlab.errors import ConfigError


def find_run(folder: Path) -> Path:
    """The run directory that a folder stands for: itself, or the only run below it.

    So `runs/quickstart` names a run as long as that experiment was run once.

    Raises:
        ConfigError: several runs lie below it. (Where there is none, `read_config` says so.)
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
        ConfigError: there is none, or it cannot be read.
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
    return content
