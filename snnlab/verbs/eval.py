"""Measure the checkpoint of a run again, perhaps with more time steps, another device or other settings.

The config is the run's own; overrides apply on top of it.
"""

import argparse
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab eval run=runs/quickstart/digits_dvs-vgg_snn-lif-tmc-t6-1a2b3c4d/seed0",
    "snnlab eval run=DIR num_steps=8",
    "snnlab eval run=DIR checkpoint=best trainer.device=cpu",
)
CHECKPOINTS = ("last", "best")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)


def run(args: argparse.Namespace) -> int:
    """Loads the run's config, applies the overrides, evaluates."""
    given = {"run": "", "checkpoint": "last"}
    overrides = []
    for text in args.overrides:
        key, equals, value = text.partition("=")
        if equals and key in given:
            given[key] = value
        else:
            overrides.append(text)
    if not given["run"]:
        raise ConfigError(
            "eval: no run is given", "snnlab eval run=<run directory>, as snnlab train printed it"
        )
    if given["checkpoint"] not in CHECKPOINTS:
        raise ConfigError(
            f"checkpoint: unknown choice '{given['checkpoint']}'", f"choose one of: {', '.join(CHECKPOINTS)}"
        )
    folder = Path(given["run"]).expanduser().resolve()
    from snnlab.config.stored import load_stored

    cfg = load_stored(folder, overrides, args.config_dir)
    from snnlab.train import evaluate_run

    return evaluate_run.run(cfg, folder, given["checkpoint"])
