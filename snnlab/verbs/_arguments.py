"""Arguments that several commands share."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from snnlab.config.quickstart import EXPERIMENT, NOTE, is_quickstart
from snnlab.errors import ConfigError


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Adds the positional overrides and --config-dir."""
    parser.add_argument(
        "overrides", nargs="*", metavar="override", help="group=choice or key=value, in Hydra's syntax"
    )
    parser.add_argument(
        "--config-dir",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder with YAML files of your own, shaped like conf/; may be repeated",
    )


def overrides_of_run(args: argparse.Namespace) -> list[str]:
    """The overrides of a command that is about a run: without any choice, those of the quickstart."""
    overrides: list[str] = args.overrides
    return [EXPERIMENT, *overrides] if is_quickstart(overrides) else overrides


def say_quickstart(args: argparse.Namespace) -> None:
    """Says that a command line without any choice means the quickstart."""
    if is_quickstart(args.overrides):
        print(f"note: {NOTE}", file=sys.stderr)


def refuse_beside_plan(args: argparse.Namespace, verb: str, others: Mapping[str, object]) -> None:
    """Refuses options that `--plan`, which only prints, would leave without effect.

    Args:
        args: the command line.
        verb: the command.
        others: by option, its value where it was given; None or False elsewhere.

    Raises:
        ConfigError: there is one.
    """
    given = [option for option, value in others.items() if value]
    if args.plan and given:
        raise ConfigError(
            f"{verb}: --plan is printed, and {given[0]} is not used",
            f"leave it out, or leave out --plan; snnlab {verb} ... --plan > FILE keeps what is printed",
        )
