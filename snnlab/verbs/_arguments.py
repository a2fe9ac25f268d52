"""Arguments that several commands share."""

import argparse
from pathlib import Path


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
