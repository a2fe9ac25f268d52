"""Names the run directory by what decides the result: `<runs>/<experiment>/<variant>-<settings>[-<data>]/seed<k>`.

The hash of the settings covers the names of the components and the deciding settings that differ from their default
(`runs/deciding.py`). So a new option with a default changes no directory. The hash of the data covers names and sizes
of the files that are read (`data/identity.py`); data that come with a package have none.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.config.automatic import LAYOUT
from snnlab.config.schema import RunConfig
from snnlab.runs.deciding import choices, deviations
from snnlab.runs.earlier_words import in_hashed_words
from snnlab.runs.old_identity import covers, old_hash
from snnlab.runs.results import RunFacts

# Raised when a default changes or a key gets another meaning, and for nothing else: every run then gets a new
# directory, and those of version 0.1.0 are no longer found.
SCHEMA = 1
DATA_DIGITS = 8


def config_hash(raw: Mapping[str, Any], *, also: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The hash of all settings that decide the result, as eight hexadecimal digits.

    Args:
        raw: the configuration as plain values.
        also: further plain values, such as the options of a measurement.
    """
    content: dict[str, Any] = {"schema": SCHEMA, "choices": choices(raw), "settings": deviations(raw)}
    if also:
        content["also"] = dict(also)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def variant(cfg: RunConfig) -> str:
    """The readable part of the directory's name: data set, model, neuron, loss, number of steps."""
    neuron = (
        cfg.neuron.name if cfg.residual_neuron is None else f"{cfg.neuron.name}+{cfg.residual_neuron.name}"
    )
    loss = "+".join((cfg.loss.name, *(one.name for one in cfg.regulariser)))
    names = (cfg.data_name, cfg.model.name, neuron, loss, f"t{cfg.num_steps}")
    return "-".join(names)


def hashes(cfg: RunConfig) -> list[str]:
    """The hashes under which a run may be stored: its own, and that of version 0.1.0 if its settings existed then.

    Version 0.1.0 did not know its data, so where there are files its runs are not taken for this one. What `auto`
    stands for is part of a hash; a run that was stored with another choice is the same run.
    """
    return [digest for one in (cfg, *other_choices(cfg)) for digest in _hashes(one.raw, cfg.data)]


def _hashes(raw: Mapping[str, Any], data: str | None) -> list[str]:
    if data is not None:
        return [with_data(config_hash(raw), data)]
    return settings_hashes(raw)


def settings_hashes(raw: Mapping[str, Any]) -> list[str]:
    """The hashes of a configuration's settings: its own, and that of version 0.1.0 if its settings existed then."""
    settings, raw = config_hash(raw), in_hashed_words(raw)
    old = SCHEMA == 1 and covers(raw, deviations(raw))
    return [settings, old_hash(raw)] if old else [settings]


def with_data(settings: str, data: str | None) -> str:
    """The hash of the settings, and the first digits of that of the data's files if there are any."""
    return settings if data is None else f"{settings}-{data[:DATA_DIGITS]}"


def other_choices(cfg: RunConfig) -> list[RunConfig]:
    """The configurations that `auto` might have been settled to as well."""
    if LAYOUT not in cfg.chosen:
        return []
    layout = not cfg.trainer.channels_last
    raw = {**cfg.raw, "trainer": {**cfg.raw["trainer"], "channels_last": layout}}
    trainer = replace(cfg.trainer, channels_last=layout)
    return [replace(cfg, trainer=trainer, raw=raw, chosen={**cfg.chosen, LAYOUT: layout})]


def as_stored(cfg: RunConfig) -> RunConfig:
    """The configuration whose own directory `run_dir` gives: what `auto` chose for a stored run stays."""
    folder = run_dir(cfg)
    return next((one for one in other_choices(cfg) if folder in _dirs(one, _hashes(one.raw, one.data))), cfg)


def run_dirs(cfg: RunConfig) -> list[Path]:
    """The absolute directories in which a run may be stored, its own first."""
    return _dirs(cfg, hashes(cfg))


def _dirs(cfg: RunConfig, digests: Sequence[str]) -> list[Path]:
    experiment = cfg.paths.runs / cfg.experiment
    return [experiment / f"{variant(cfg)}-{one}" / f"seed{cfg.seed}" for one in digests]


def dirs_of_any_data(cfg: RunConfig) -> list[Path]:
    """The existing directories of runs with these settings, whatever their data, also if it was not recorded."""
    unknown = replace(cfg, data=None)
    experiment = cfg.paths.runs / cfg.experiment
    others = [
        folder
        for one in (unknown, *other_choices(unknown))
        for folder in sorted(experiment.glob(f"{variant(cfg)}-{config_hash(one.raw)}-*/seed{cfg.seed}"))
    ]
    return [*(one for one in run_dirs(unknown) if one.exists()), *others]


def run_dir(cfg: RunConfig) -> Path:
    """The absolute directory of a run: its own, or an existing one under another name that it may have.

    That is the one that version 0.1.0 made for it, one for which `auto` was settled otherwise or, where the data are
    not known, one of the same settings. A new seed joins the others of its variant, however `auto` was settled there.
    """
    own, *others = run_dirs(cfg)
    if own.exists():
        return own
    known = dirs_of_any_data(cfg) if cfg.data is None else others
    if (found := next((one for one in known if one.exists()), None)) is not None:
        return found
    if own.parent.exists() or LAYOUT not in cfg.chosen:
        return own
    return next((one for one in others if one.parent.exists()), own)


def run_facts(cfg: RunConfig) -> RunFacts:
    """The fields of a `RunResult` that follow from the configuration."""
    return {
        "experiment": cfg.experiment,
        "variant": variant(cfg),
        "config_hash": run_hash(cfg),
        "seed": cfg.seed,
        "num_steps": cfg.num_steps,
        "dataset": cfg.data_name,
        "synthetic": cfg.trainer.synthetic,
    }


def run_hash(cfg: RunConfig) -> str:
    """The hash, or hashes, in the name of the run's directory."""
    return run_dir(cfg).parent.name.removeprefix(f"{variant(cfg)}-")
