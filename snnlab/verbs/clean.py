"""List what takes space and is not needed, with sizes; --yes removes it, and says how much that freed.

Optimiser states of finished runs, dead runs (killed, and not continued since), what killed processes have left, and
caches of frames that no version opens. Results, weights and runs that run are never touched. A dead run could be
continued from its last checkpoint: leave it out with --only if you want to.
"""

import argparse
import os
import sys
from pathlib import Path

from snnlab.byte_count import byte_count
from snnlab.errors import ConfigError, SnnlabError
from snnlab.runs.found import folders_of
from snnlab.system import cache_home

EXAMPLES = (
    "snnlab clean",
    "snnlab clean quickstart --only optimiser --yes",
    "snnlab clean --only dead,leftover",
    "snnlab clean --only cache --unused-days 90",
)
KINDS = ("optimiser", "dead", "leftover", "cache")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument(
        "pattern",
        nargs="*",
        help="only these runs: a folder, or a part of their paths; default: all, and caches",
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where data sets are; default: $SNNLAB_DATA, else ./data"
    )
    parser.add_argument("--only", default=",".join(KINDS), metavar="KINDS", help=f"some of {','.join(KINDS)}")
    parser.add_argument(
        "--unused-days",
        type=float,
        metavar="N",
        help="also whole caches that were not read for N days (their recordings have to be there still)",
    )
    parser.add_argument("--yes", action="store_true", help="remove what is listed")


def run(args: argparse.Namespace) -> int:
    """Lists, or removes; 1 if something could not be removed."""
    kinds = args.only.split(",")
    if unknown := [one for one in kinds if one not in KINDS]:
        raise ConfigError(f"--only: unknown kind '{unknown[0]}'", f"kinds: {', '.join(KINDS)}")
    folders = folders_of(args.runs, args.pattern)
    if args.pattern and not folders:
        raise ConfigError(f"clean: no run in or like {' or '.join(args.pattern)}", "snnlab runs lists them")
    from snnlab.runs.cleaning import in_data, in_runs, remove

    found = [*in_runs(folders), *([] if args.pattern else in_data(_data_roots(args.data), args.unused_days))]
    found = [one for one in found if one.kind in kinds]
    if not found:
        print("nothing to remove")
        return 0
    freed, failed = 0, 0
    for one in found:
        line = f"{byte_count(one.size):>7}  {one.path}  ({one.note})"
        if args.yes:
            try:
                remove(one)
            except (SnnlabError, OSError) as error:
                failed += 1
                print(f"kept: {line}: {error}", file=sys.stderr)
                continue
        freed += one.size
        print(line)
    count = len(found) - failed
    print(
        f"freed {byte_count(freed)} ({count} removed)"
        if args.yes
        else f"{byte_count(freed)} in all; snnlab clean --yes removes these {count}"
    )
    return int(failed > 0)


def _data_roots(data: Path | None) -> list[Path]:
    """Where caches may lie: beside the recordings, below SNNLAB_CACHE, or in the user's folder of caches."""
    roots = [data or Path(os.environ.get("SNNLAB_DATA") or "data"), cache_home() / "snnlab"]
    return [*roots, Path(os.environ["SNNLAB_CACHE"])] if os.environ.get("SNNLAB_CACHE") else roots
