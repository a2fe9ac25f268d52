"""Data sets: list them and their state, prepare one (build its frame cache), verify it, measure its speed."""

import argparse

from snnlab.config.suggest import check_choice
from snnlab.errors import ConfigError
from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab data list",
    "snnlab data prepare nmnist",
    "snnlab data prepare +experiment=tmc_dvscifar",
    "snnlab data verify cifar10_dvs paths.data=/data",
    "snnlab data bench digits_dvs trainer.num_workers=2",
)
ACTIONS = ("list", "prepare", "verify", "bench")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("action", nargs="?", metavar=" | ".join(ACTIONS))
    add_overrides(parser)


def run(args: argparse.Namespace) -> int:
    """Checks the config, then runs the action."""
    if args.action is None:
        raise ConfigError("data: no action given", f"snnlab data {' | '.join(ACTIONS)}")
    check_choice("data", args.action, ACTIONS)
    from snnlab.runs.load import load

    overrides = list(args.overrides)
    if overrides and "=" not in overrides[0] and not overrides[0].startswith("~"):
        overrides[0] = f"dataset={overrides[0]}"
    elif args.action != "list" and not any("dataset=" in one or "experiment=" in one for one in overrides):
        raise ConfigError(
            f"data {args.action}: which data set?",
            f"snnlab data {args.action} <name>, see snnlab list dataset",
        )
    cfg = load(overrides, args.config_dir)
    from snnlab.data import command

    if args.action == "list":
        return command.list_(cfg.paths, cfg.plugins)
    from snnlab.build import build_augments, build_dataset

    dataset = build_dataset(cfg)
    if args.action == "bench":
        from snnlab.augments.base import runs_in_loader

        return command.bench(cfg, dataset, ops=[op for op in build_augments(cfg) if runs_in_loader(op)])
    act = {"prepare": command.prepare, "verify": command.verify}[args.action]
    return act(cfg, dataset)
