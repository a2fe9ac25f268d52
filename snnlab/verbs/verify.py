"""Check whether everything in a run directory is whole and belongs together: records, rows, checkpoints, data.

Exit code 0 if it is, 1 if not.
"""

import argparse
import json
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.runs.found import run_folders

EXAMPLES = (
    "snnlab verify runs/quickstart",
    "snnlab verify runs/a/*/seed0 runs/b/*/seed0",
    "snnlab verify runs --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="DIR", help="a run directory, or a folder of runs"
    )
    parser.add_argument("--json", action="store_true", help="all findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints what is wrong with each run."""
    from snnlab.runs.belonging import other_name
    from snnlab.runs.results import read_result
    from snnlab.runs.verify import verify

    found = {str(folder): verify(folder) for given in args.runs for folder in _runs_in(given.expanduser())}
    if args.json:
        print(
            json.dumps(
                {folder: [vars(one) for one in findings] for folder, findings in found.items()}, indent=2
            )
        )
    else:
        for folder, findings in found.items():
            print(f"{folder}: {'damaged' if findings else 'whole'}")
            for one in findings:
                print(f"  {one}")
            result = None if findings else read_result(Path(folder))
            if result is not None and (name := other_name(Path(folder), result)):
                print(f"  copied, moved or renamed: it was made as {name}")
    return int(any(found.values()))


def _runs_in(folder: Path) -> list[Path]:
    """The run directory itself, or all below it.

    Raises:
        ConfigError: there is none.
    """
    found = run_folders(folder)
    if not found:
        raise ConfigError(f"{folder}: no run directory there", "a run directory ends in seed<k>")
    return found
