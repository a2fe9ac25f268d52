"""The config.yaml that a run leaves in its directory."""

from pathlib import Path
from typing import Any

import yaml

from snnlab.errors import ConfigError


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
