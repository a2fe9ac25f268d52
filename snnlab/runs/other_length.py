"""Finished runs that differ from a configuration in how long they train, and in nothing else."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.runs.config_file import read_config
from snnlab.runs.deciding import choices, deviations
from snnlab.runs.identity import run_dir, variant
from snnlab.runs.results import Result, read_result

OF_LENGTH = ("epochs", "max_steps")


def runs_of_other_length(cfg: RunConfig) -> dict[Path, Result]:
    """The run directories with their results, those of the same seed only."""
    own = run_dir(cfg)
    found = {}
    for folder in sorted(own.parent.parent.glob(f"{variant(cfg)}-*/{own.name}")):
        if folder == own or (result := read_result(folder)) is None or "conversion" in result:
            continue
        try:
            alike = _but_for_length(read_config(folder)) == _but_for_length(cfg.raw)
        # A damaged configuration, or that of somebody else's components.
        except (ConfigError, AttributeError, KeyError, TypeError, ValueError):
            continue
        if alike:
            found[folder] = result
    return found


def length_of(raw: Mapping[str, Any]) -> tuple[int, float]:
    """What orders runs that differ in their length only: epochs, then steps; such a run is longer if it is greater."""
    steps = raw["trainer"].get("max_steps")
    return int(raw["trainer"]["epochs"]), math.inf if steps is None else int(steps)


def _but_for_length(raw: Mapping[str, Any]) -> dict[str, Any]:
    trainer = {key: value for key, value in raw["trainer"].items() if key not in OF_LENGTH}
    return {"choices": choices(raw), "settings": deviations({**raw, "trainer": trainer})}
