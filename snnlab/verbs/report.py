"""Make one self-contained HTML page of a run, or of several beside each other.

A run that is not finished is labelled so; its numbers are those of its last evaluation. The page needs no network:
configuration and its origins, curves, accuracy and calibration at each time step, reliability diagrams, firing rates,
confusion matrix, frames and spikes, environment.
"""

import argparse
import os
import sys
from pathlib import Path

from snnlab.atomic import write_text
from snnlab.errors import ConfigError
from snnlab.writable import refuse_unwritable_file

EXAMPLES = (
    "snnlab report runs/quickstart/digits_dvs-vgg_snn-lif-tmc-t6-1a2b3c4d/seed0",
    "snnlab report runs/quickstart --open",
    "snnlab report runs/a/*/seed0 runs/b/*/seed0 --output compared.html",
)
MOST = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="DIR", help="a run directory, or a folder of runs"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the page goes; default: into DIR")
    parser.add_argument("--open", action="store_true", help="show it in the browser")


def run(args: argparse.Namespace) -> int:
    """Writes the page."""
    from snnlab.report.page import run_page
    from snnlab.report.run_data import find_runs, unmeasured

    if args.output is not None and args.output.suffix not in (".html", ".htm"):
        raise ConfigError(
            f"report: cannot write {args.output}",
            "the page is HTML: --output FILE.html; a browser prints it as PDF",
        )
    runs = [one for given in args.runs for one in find_runs(given.expanduser().absolute())]
    if len(runs) > MOST:
        raise ConfigError(
            f"report: {len(runs)} runs are too many for one page", f"name at most {MOST} of them"
        )
    folders = [one.folder for one in runs]
    output = args.output or Path(os.path.commonpath(folders)) / "report.html"
    refuse_unwritable_file(output, "--output FILE.html writes the page elsewhere")
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, run_page(runs))
    for folder in (one for given in args.runs for one in unmeasured(given.expanduser().absolute())):
        print(f"left out, not measured yet: {folder}", file=sys.stderr)
    print(f"written to {output}")
    if args.open:
        import webbrowser

        webbrowser.open(output.absolute().as_uri())
    return 0
