"""Print the log of a run; -f follows it until the run ends.

RUN is a run directory, a folder with one run in it, or a part of a run's path below ./runs that no other run has.
"""

import argparse
import sys
import time
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.runs.found import folders_of
from snnlab.runs.listing import shown
from snnlab.runs.overview import run_line
from snnlab.runs.results import running_in

EXAMPLES = (
    "snnlab log runs/quickstart/digits_dvs-vgg_snn-lif-tmc-t6-1a2b3c4d/seed0",
    "snnlab log 1a2b3c4d/seed0",
    "snnlab log quickstart -f",
)
FOLLOW_SECONDS = 0.5
SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("run", metavar="RUN", help="a run directory, or a part of its path")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends, or Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Prints the log; raises ConfigError if no run or more than one is meant, or if it has no log."""
    folder = _the_run(args.run, args.runs)
    log = folder / "log.txt"
    if not args.follow:
        try:
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            raise ConfigError(
                f"{folder} has no log.txt", "a run writes it once its network is built"
            ) from None
        return 0
    place = 0
    while True:
        lives = running_in(folder) is not None
        place = _print_from(log, place)
        if not lives:
            _say_if_dead(folder)
            return 0
        time.sleep(FOLLOW_SECONDS)


def _say_if_dead(folder: Path) -> None:
    """Its log does not say that nothing more will come."""
    line = run_line(folder)
    if line.state == "dead":
        sys.stderr.write(f"{shown(folder)} is dead: {line.reason}; the same command continues it\n")


def _the_run(name: str, root: Path) -> Path:
    """The only run that is meant.

    Raises:
        ConfigError: there is none, or there are several.
    """
    found = folders_of(root, [name])
    if not found:
        raise ConfigError(
            f"log: no run in or like {name}",
            f"snnlab runs lists those in {root}; --runs DIR names another folder",
        )
    if len(found) > 1:
        first = ", ".join(map(str, found[:SHOWN]))
        raise ConfigError(f"log: {len(found)} runs are in or like {name}", f"name one of them: {first}")
    return found[0]


def _print_from(log: Path, place: int) -> int:
    """Prints what a file has from a byte on, and returns where it ends; a file that was written anew from its start."""
    try:
        with log.open("rb") as file:
            if file.seek(0, 2) < place:
                place = 0
            file.seek(place)
            new = file.read()
    except FileNotFoundError:
        return 0
    # The last letter may be half written.
    whole = new[: new.rfind(b"\n") + 1]
    sys.stdout.write(whole.decode("utf-8", errors="replace"))
    sys.stdout.flush()
    return place + len(whole)
