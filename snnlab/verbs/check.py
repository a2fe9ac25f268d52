"""Check a config without running it: every key, type, range and choice; --all checks every experiment."""

import argparse
import json

from snnlab.errors import ConfigError
from snnlab.verbs._arguments import add_overrides

EXAMPLES = (
    "snnlab check +experiment=tmc_cifar10 neuron=plif neuron.threshold=0.5",
    "snnlab check --all",
    "snnlab check --all trainer.precision=bf16",
    "snnlab check +experiment=quickstart --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    add_overrides(parser)
    parser.add_argument("--all", action="store_true", help="check every experiment, with these overrides")
    parser.add_argument("--json", action="store_true", help="all problems as JSON")


def run(args: argparse.Namespace) -> int:
    """Checks one config, or all experiments; exit code 2 if one is wrong."""
    from snnlab.config.search import SearchPath
    from snnlab.runs.data_check import reads_files, with_data
    from snnlab.runs.identity import run_dir
    from snnlab.runs.load import load

    names = SearchPath.of(args.config_dir).options("experiment") if args.all else [""]
    report = {}
    failed = 0
    for name in names:
        overrides = [f"+experiment={name}", *args.overrides] if name else args.overrides
        try:
            cfg = load(overrides, args.config_dir)
            if cfg.augment:
                from snnlab.build import check_augments  # where it is needed: it imports torch

                check_augments(cfg)
        except ConfigError as error:
            if not args.all and not args.json:
                raise
            failed += 1
            problems = error.problems or (error,)
            report[name] = [{"error": one.message, "hint": one.hint} for one in problems]
            text = f"{name}: error: {error.message}\n  hint: {error.hint}"
        else:
            report[name] = []
            text = f"{name}: ok"
            if not args.all and not args.json:
                cfg = with_data(cfg)
                unknown = cfg.data is None and reads_files(cfg)
                note = (
                    "\nnote: its data are not there; with them, their hash is added to the name"
                    if unknown
                    else ""
                )
                text = f"ok: {run_dir(cfg)}{note}"
        if not args.json:
            print(text, flush=True)
    if args.json:
        print(json.dumps(report if args.all else report[""], indent=2))
    return 2 if failed else 0
