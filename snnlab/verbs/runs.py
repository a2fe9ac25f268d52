"""List runs, a line each: state, epoch, time left, accuracy, ECE, size, and what sets each apart.

A run is running, finished, imported (a network from elsewhere), failed, preempted (it stopped and saved), dead (its
process is gone) or damaged. The settings are those that not all runs of the experiment share. A pattern is a folder, or
a part of the runs' names.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.runs.found import folders_of

EXAMPLES = (
    "snnlab runs",
    "snnlab runs 'quickstart/*tet*' --sort test/acc",
    "snnlab runs --state dead",
    "snnlab runs /data/runs --json",
    "snnlab runs --watch",
)
WATCH_SECONDS = 2.0
STATES = ("running", "finished", "imported", "failed", "preempted", "dead", "damaged")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument(
        "pattern", nargs="*", help="a folder of runs, or a part of their names with * and ?; default: ./runs"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are")
    parser.add_argument(
        "--sort", default="name", metavar="KEY", help="test/acc, test/ece, ..., or name, state, epoch, size"
    )
    parser.add_argument("--state", choices=STATES, help="only runs in this state")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--watch", action="store_true", help="again and again, until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Prints the runs; raises ConfigError if there are none."""
    if not args.watch:
        if (text := _text(args)) is None:
            raise ConfigError(
                _none(args),
                "a pattern is a part of a run's path below ./runs; --runs DIR names another folder of runs",
            )
        sys.stdout.write(text)
        return 0
    before = None
    while True:
        text = _text(args) or f"{_none(args)}\n"
        if sys.stdout.isatty():
            # To the first line, and nothing below.
            sys.stdout.write(f"\x1b[H\x1b[J{text}")
        elif text != before:
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        before = text
        time.sleep(WATCH_SECONDS)


def _text(args: argparse.Namespace) -> str | None:
    """The list; None if there is nothing in it."""
    from snnlab.runs.listing import as_json, ordered, table
    from snnlab.runs.neighbours import differences
    from snnlab.runs.overview import run_line

    lines = [run_line(folder) for folder in folders_of(args.runs, args.pattern)]
    settings = differences(lines)
    chosen = [one for one in lines if args.state in (None, one.state)]
    if args.json:
        lines = ordered(chosen, args.sort) if chosen else []
        return json.dumps([as_json(one, settings.get(one.folder, {})) for one in lines], indent=2) + "\n"
    return table(ordered(chosen, args.sort), settings) + "\n" if chosen else None


def _none(args: argparse.Namespace) -> str:
    state = "" if args.state is None else f" that is {args.state}"
    return f"runs: no run{state} in or like {' or '.join(args.pattern) or args.runs}"
