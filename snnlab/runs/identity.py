"""Names the run directory by the settings that decide the result: `<runs>/<experiment>/<variant>-<hash>/seed<k>`.

The hash covers the names of the components and the deciding settings that differ from their default
(`runs/deciding.py`). So a new option with a default changes no directory.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.config.schema import RunConfig
from snnlab.runs.deciding import choices, deviations
from snnlab.runs.earlier_words import in_hashed_words
from snnlab.runs.old_identity import covers, old_hash
from snnlab.runs.results import RunFacts

# Raised when a default changes or a key gets another meaning, and for nothing else: every run then gets a new
# directory, and those of version 0.1.0 are no longer found.
SCHEMA = 1


def config_hash(
    raw: Mapping[str, Any], *, data: str | None = None, also: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """The hash of all settings that decide the result, as eight hexadecimal digits.

    Args:
        raw: the configuration as plain values.
        data: identity of the data; None leaves the hash as it is.
        also: further plain values, such as the options of a measurement.
    """
    content: dict[str, Any] = {"schema": SCHEMA, "choices": choices(raw), "settings": deviations(raw)}
    if data is not None:
        content["data"] = data
    if also:
        content["also"] = dict(also)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def variant(cfg: RunConfig) -> str:
    """The readable part of the directory's name: data set, model, neuron, loss, number of steps."""
    neuron = (
        cfg.neuron.name if cfg.residual_neuron is None else f"{cfg.neuron.name}+{cfg.residual_neuron.name}"
    )
    loss = "+".join((cfg.loss.name, *(one.name for one in cfg.regulariser)))
    names = (cfg.dataset.name, cfg.model.name, neuron, loss, f"t{cfg.num_steps}")
    return "-".join(names)


def hashes(cfg: RunConfig) -> list[str]:
    """The hashes under which a run may be stored: its own, and that of version 0.1.0 if its settings existed then."""
    found = [config_hash(cfg.raw, data=cfg.data)]
    raw = in_hashed_words(cfg.raw)
    if SCHEMA == 1 and cfg.data is None and covers(raw, deviations(raw)):
        found.append(old_hash(raw))
    return found


def run_dirs(cfg: RunConfig) -> list[Path]:
    """The absolute directories in which a run may be stored, its own first."""
    experiment = cfg.paths.runs / cfg.experiment
    return [experiment / f"{variant(cfg)}-{one}" / f"seed{cfg.seed}" for one in hashes(cfg)]


def run_dir(cfg: RunConfig) -> Path:
    """The absolute directory of a run: its own, or the one that version 0.1.0 made for it if only that exists."""
    own, *others = run_dirs(cfg)
    return own if own.exists() else next((one for one in others if one.exists()), own)


def run_facts(cfg: RunConfig) -> RunFacts:
    """The fields of a `RunResult` that follow from the configuration."""
    return {
        "experiment": cfg.experiment,
        "variant": variant(cfg),
        "config_hash": run_hash(cfg),
        "seed": cfg.seed,
        "num_steps": cfg.num_steps,
        "dataset": cfg.dataset.name,
        "synthetic": cfg.trainer.synthetic,
    }


def run_hash(cfg: RunConfig) -> str:
    """The hash in the name of the run's directory."""
    return run_dir(cfg).parent.name.rpartition("-")[2]
