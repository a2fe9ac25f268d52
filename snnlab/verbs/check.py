"""Check a config without training: keys, types, ranges, the data, and a made-up batch through the network.

What it refuses, `snnlab train` refuses in the same words. --no-build checks keys, types, ranges and choices only.
"""

import argparse
import json
from typing import TYPE_CHECKING

from snnlab.errors import ConfigError, SnnlabError
from snnlab.verbs._arguments import add_overrides, overrides_of_run, say_quickstart

if TYPE_CHECKING:
    from snnlab.config.schema import RunConfig

EXAMPLES = (
    "snnlab check +experiment=tmc_cifar10 neuron=plif neuron.threshold=0.5",
    "snnlab check --no-build +experiment=tmc_cifar10 neuron=plif",
    "snnlab check --all",
    "snnlab check --all trainer.precision=bf16",
    "snnlab check +experiment=quickstart --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="check every experiment, with these overrides; its data and its teacher need not be there",
    )
    parser.add_argument(
        "--no-build", action="store_true", help="build no network and look for no data (fast)"
    )
    parser.add_argument("--json", action="store_true", help="all problems as JSON")


def run(args: argparse.Namespace) -> int:
    """Checks one config, or all experiments; exit code 2 if one is wrong."""
    from snnlab.config.search import SearchPath
    from snnlab.runs.load import load

    names = SearchPath.of(args.config_dir).options("experiment") if args.all else [""]
    report = {}
    for name in names:
        overrides = [f"+experiment={name}", *args.overrides] if name else overrides_of_run(args)
        try:
            cfg = _checked(load(overrides, args.config_dir), build=not args.no_build, every=args.all)
        except SnnlabError as error:
            if not args.all and not args.json:
                raise
            problems = getattr(error, "problems", ()) or (error,)
            report[name] = [{"error": one.message, "hint": one.hint} for one in problems]
            text = f"{name}: error: {error.message}\n  hint: {error.hint}"
        else:
            report[name] = []
            text = f"{name}: ok" if args.all or args.json else _place(cfg)
        if not args.json:
            print(text, flush=True)
    if not args.all:
        say_quickstart(args)
    if args.json:
        print(json.dumps(report if args.all else report[""], indent=2))
    return ConfigError.exit_code if any(report.values()) else 0


def _checked(cfg: "RunConfig", build: bool, every: bool) -> "RunConfig":
    if not build:
        if cfg.augment:
            from snnlab.build import check_augments  # where it is needed: it imports torch

            check_augments(cfg)
        return cfg
    from snnlab.train.rehearsal import refuse_before_run  # where it is needed: it imports torch

    return refuse_before_run(cfg, alone=not every)


def _place(cfg: "RunConfig") -> str:
    from snnlab.runs.data_check import reads_files, with_data
    from snnlab.runs.identity import run_dir

    cfg = with_data(cfg)
    unknown = cfg.data is None and reads_files(cfg)
    note = "\nnote: its data are not there yet; with them, their hash is added to the name" if unknown else ""
    return f"ok: {run_dir(cfg)}{note}"
