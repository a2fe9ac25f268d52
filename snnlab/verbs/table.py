"""Rebuild a published table or figure from runs: fill it, plan its runs, start those that are missing.

A table is a file in conf/table. scale=full is the paper's recipe, scale=converged trains on few images until they are
known by heart, scale=short has fewer epochs, scale=smoke takes two training steps on embedded data and shows only that
everything runs. Other overrides go to every cell.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.atomic import write_text
from snnlab.config.suggest import check_choice
from snnlab.errors import PREEMPTED, ConfigError
from snnlab.verbs._arguments import refuse_beside_plan
from snnlab.writable import refuse_unwritable, refuse_unwritable_file

if TYPE_CHECKING:
    from snnlab.tables.fill import Filled
    from snnlab.tables.planned import Plan, PlannedRun
    from snnlab.tables.table_file import TableFile

EXAMPLES = (
    "snnlab list table",
    "snnlab table tmc_1 --plan",
    "snnlab table tmc_1 --run hydra.launcher.gpus=[0,1]",
    "snnlab table tmc_1 scale=short seeds=0,1 --run",
    "snnlab table tmc_2 --format md --layout paper",
    "snnlab table digits_losses --from results/digits_losses.json --format latex",
    "snnlab table --all scale=smoke --plan",
)


USUAL = {"format": "terminal", "layout": "cells"}
# Of files, where they are not the format's name.
ENDINGS = {"terminal": "md", "latex": "tex"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.config.arguments import help_of
    from snnlab.tables.arguments import TableArguments

    parser.description = f"{__doc__}\nkeys:\n{help_of(TableArguments)}"
    parser.add_argument("name", nargs="?", help="such as tmc_1 or figure_tmc_2; snnlab list table names them")
    parser.add_argument("overrides", nargs="*", metavar="override", help="scale=..., seeds=0,1, or Hydra's")
    parser.add_argument("--all", action="store_true", help="all tables and figures instead of one")
    parser.add_argument(
        "--plan", action="store_true", help="only say which runs it needs, and which are there"
    )
    parser.add_argument("--run", action="store_true", help="start the runs that are missing, then print it")
    parser.add_argument(
        "--format",
        default=USUAL["format"],
        metavar="FORM",
        help="md | latex | csv | html | json | png | pdf | svg",
    )
    parser.add_argument(
        "--layout", default=USUAL["layout"], help="cells (a line each) | paper (its rows and columns)"
    )
    parser.add_argument("--from", dest="stored", type=Path, metavar="FILE", help="fill it from such JSON")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there; a folder with --all")
    parser.add_argument(
        "--config-dir", action="append", default=[], metavar="DIR", help="a folder of your own"
    )


def run(args: argparse.Namespace) -> int:
    """Plans, runs and prints."""
    from snnlab.config.search import SearchPath
    from snnlab.config.trust import plugins_named
    from snnlab.tables.arguments import read_table_arguments
    from snnlab.tables.plan import Planner
    from snnlab.tables.table_loader import load_table

    _check_output(args)
    search = SearchPath.of(args.config_dir)
    given = [one for one in [args.name, *args.overrides] if one]
    asked = read_table_arguments(given)
    if len(asked.names) != 1 and not args.all:
        raise ConfigError("table: give one name", "snnlab list table names them all")
    names = search.options("table") if args.all else asked.names
    tables = {name.replace("-", "_"): load_table(name, search) for name in names}
    if args.stored is not None:
        return _print_stored(args, tables, [one for one in given if "=" in one])
    if asked.select is not None:
        tables = {name: replace(table, selection=asked.select) for name, table in tables.items()}

    with Planner(args.config_dir, prepare=args.run, plugins=plugins_named(given)) as planner:

        def plans() -> "list[Plan]":
            return [
                planner.plan(name, table, asked.scale, asked.seeds, asked.of_cells)
                for name, table in tables.items()
            ]

        if args.plan:
            return _print_plans(plans())
        if args.run:
            paths = [one for one in asked.of_cells if one.startswith("paths.")]
            return _run_and_print(args, plans, asked.hydra, paths)
        found = plans()
    from snnlab.tables.fill import fill

    return _print(args, [fill(plan) for plan in found])


def _check_output(args: argparse.Namespace) -> None:
    from snnlab.tables.render import FORMATS, PICTURES

    changed = {
        f"--{key}": getattr(args, key) for key in ("format", "layout") if getattr(args, key) != USUAL[key]
    }
    unused = {"--output": args.output, "--run": args.run, "--from": args.stored, **changed}
    refuse_beside_plan(args, "table", unused)
    check_choice("--format", args.format, FORMATS)
    check_choice("--layout", args.layout, ("cells", "paper"))
    if args.output is not None:
        refuse = refuse_unwritable if args.all else refuse_unwritable_file
        refuse(args.output, "--output names another place")
    if args.all and args.output is None and args.format in ("csv", "html", "json"):
        raise ConfigError(
            f"--format {args.format}: several tables are several files",
            f"snnlab table --all --format {args.format} --output FOLDER",
        )
    if args.format in PICTURES and (args.all or args.output is None):
        raise ConfigError(
            f"--format {args.format}: one table, and a file for it",
            f"snnlab table tmc_1 --output FILE.{args.format}",
        )


def _print_stored(
    args: argparse.Namespace, tables: "Mapping[str, TableFile]", settings: Sequence[str]
) -> int:
    from snnlab.tables.stored_table import read_filled

    if not args.stored.is_file():
        raise ConfigError(
            f"--from: no such file: {args.stored}", "snnlab table NAME --format json writes one"
        )
    if args.run or args.plan or settings:
        raise ConfigError(
            "--from: what is stored has its scale, seeds and runs", "leave out --run, --plan and scale=..."
        )
    return _print(args, [read_filled(args.stored, table) for table in tables.values()])


def _run_and_print(
    args: argparse.Namespace,
    plans: "Callable[[], list[Plan]]",
    hydra: Sequence[str],
    paths: Sequence[str],
) -> int:
    from snnlab.tables.figure_commands import run_commands
    from snnlab.tables.fill import fill
    from snnlab.tables.launch import run_missing
    from snnlab.tables.plan_text import unfinished_lines

    def planned() -> "list[PlannedRun]":
        return [run for plan in plans() for run in plan.runs]

    code = run_missing(planned, [*paths, *hydra], args.config_dir, args.main)
    found = plans()
    filled = [fill(plan) for plan in found]
    _print(args, filled)
    if code != PREEMPTED:
        folder = Path() if args.output is None else args.output if args.all else args.output.parent
        drawn = [run_commands(plan, folder, args.main) for plan in found]
        code = max([code, _say_what_is_empty(filled), *drawn])
    if code:
        print("\n".join(unfinished_lines(found, stopped=code == PREEMPTED)), file=sys.stderr)
    return code


def _say_what_is_empty(filled: "Sequence[Filled]") -> int:
    """Names the cells that finished runs have no number for; 1 if there are any."""
    cells = [(one.name, cell) for one in filled for cell in one.without_number]
    for name, cell in cells:
        text = f"{name}: no number for '{cell.row.name}', '{cell.column.label}' in its runs: {cell.column.metric}"
        print(text, file=sys.stderr)
    return int(bool(cells))


def _print(args: argparse.Namespace, filled: "Sequence[Filled]") -> int:
    from snnlab.tables.render import FORMATS, PICTURES, print_table, render

    for one in filled:
        if args.format == "terminal" and args.output is None:
            print_table(one, args.layout)
            continue
        form, output = args.format, args.output
        if args.all and output is not None:
            output = output / f"{one.name}.{ENDINGS.get(form, form)}"
        if form == "terminal":
            form = {"tex": "latex"}.get(ending := output.suffix.lstrip("."), ending)
            check_choice("--output: ending", form, FORMATS[1:])
        if form in PICTURES:
            from snnlab.tables.picture import draw

            print_table(one, args.layout)
            print(f"written to {draw(one, output)}", file=sys.stderr)
            continue
        text = render(one, form, args.layout)
        if output is None:
            sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        else:
            output.parent.mkdir(parents=True, exist_ok=True)
            write_text(output, text if text.endswith("\n") else f"{text}\n")
            print(f"written to {output}", file=sys.stderr)
    return 0


def _print_plans(plans: "Sequence[Plan]") -> int:
    from snnlab.tables.plan_text import data_lines, plan_lines, total_lines

    for plan in plans:
        print("\n".join(plan_lines(plan, every_run=len(plans) == 1)))
    if len(plans) > 1:
        print("\n".join(total_lines(plans)))
    print("\n".join(data_lines(plans)))
    return 0
