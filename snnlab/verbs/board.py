"""Compare every loss with every neuron: calibration and robustness at each time step, as one HTML page.

Each pair is trained on few images until it knows them by heart (the experiment converged_cifar10), and measured on
clean, noisy and corrupted held-out images. Without --run the page shows what is measured so far. With --from a board
that was measured before stands beside what is measured here, so that a new method needs its own runs only.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.atomic import write_text
from snnlab.config.suggest import check_choice
from snnlab.verbs._arguments import refuse_beside_plan
from snnlab.writable import refuse_unwritable_file

if TYPE_CHECKING:
    from snnlab.board.arguments import BoardArguments
    from snnlab.board.standing import Standing
    from snnlab.tables.plan import Planner
    from snnlab.tables.planned import Plan, PlannedRun

OUTPUT = Path("board.html")
FORMS = ("html", "htm", "json", "md", "png", "svg", "pdf")
ORIGIN = ("code", "threads", "split")
EXAMPLES = (
    "snnlab board --plan",
    "snnlab board --run",
    "snnlab board losses=[sdt,tet,tmc] neurons=[lif,plif] seeds=[0] --run",
    "snnlab board --from results/board.json --output board.png",
    "snnlab board plugins=[my_lab] losses=[my_loss] neurons=[lif] --from results/board.json --run",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    from snnlab.board.arguments import BoardArguments
    from snnlab.config.arguments import help_of
    from snnlab.verbs._arguments import add_overrides

    add_overrides(parser)
    parser.description = f"{__doc__}\nkeys:\n{help_of(BoardArguments)}"
    parser.add_argument(
        "--plan", action="store_true", help="only say which runs it needs, and which are there"
    )
    parser.add_argument(
        "--run", action="store_true", help="train and measure what is missing, then write the page"
    )
    parser.add_argument(
        "--from",
        dest="stored",
        type=Path,
        metavar="FILE",
        help="a board as JSON, for pairs not measured here",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="FILE",
        help="a page (.html), numbers (.json, .md) or a picture (.png, .svg, .pdf); default: board.html",
    )


def run(args: argparse.Namespace) -> int:
    """Plans, trains and measures what is missing, and writes the page."""
    from snnlab.board.arguments import read_board_arguments
    from snnlab.board.standing import standing
    from snnlab.board.stored_board import beside, read_board, refuse_other_conditions
    from snnlab.tables.plan import Planner

    refuse_beside_plan(
        args,
        "board",
        {"--output": args.output != OUTPUT, "--run": args.run, "--from": args.stored},
    )
    check_choice("--output: ending", args.output.suffix.removeprefix("."), FORMS)
    asked = read_board_arguments(args.overrides)
    refuse_unwritable_file(args.output, "--output FILE.html writes the page elsewhere")
    code = 0
    with Planner(args.config_dir, prepare=args.run, plugins=asked.plugins) as planner:
        plan = _plan(planner, asked)
        if args.plan:
            return _print_plan(plan)
        facts = _facts(plan, asked, args.overrides)
        stored, stored_facts = read_board(args.stored) if args.stored else ([], {})
        if args.stored:
            refuse_other_conditions(args.stored, stored_facts, facts)
        if args.run:
            code = _run_missing(planner, asked, args)
            plan = _plan(planner, asked)
            facts = _facts(plan, asked, args.overrides)
    if args.stored:
        facts.append(
            (f"from {args.stored}", ", ".join(f"{k} {stored_facts[k]}" for k in ORIGIN if k in stored_facts))
        )
    _write(args.output, beside([standing(cell) for cell in plan.cells], stored), facts)
    if code:
        print("not all pairs are measured: the same command goes on", file=sys.stderr)
    return code


def _write(file: Path, standings: "Sequence[Standing]", facts: Sequence[tuple[str, str]]) -> None:
    """Writes the board in the form that the file's ending names."""
    from snnlab.board.lines import markdown
    from snnlab.board.page import board_page
    from snnlab.board.picture import draw
    from snnlab.board.stored_board import as_json

    known = [one for one in standings if one.seeds]
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".json":
        write_text(file, json.dumps(as_json(standings, facts), separators=(",", ":")) + "\n")
    elif file.suffix == ".md":
        write_text(file, "\n".join(markdown(known)) + "\n")
    elif file.suffix in (".html", ".htm"):
        write_text(file, board_page(standings, facts))
    else:
        draw(known, file)
        print("\n".join(markdown(known)))
    print(f"written to {file}")


def _plan(planner: "Planner", asked: "BoardArguments") -> "Plan":
    from snnlab.board.pairs import all_losses, all_neurons, pair_table

    plugins = asked.plugins
    losses, neurons = asked.losses or all_losses(plugins), asked.neurons or all_neurons(plugins)
    table = pair_table(losses, neurons, _measure(asked), plugins)
    return planner.plan("board", table, "full", asked.seeds, asked.of_runs)


def _measure(asked: "BoardArguments") -> str:
    levels, severities = (
        ",".join(f"{one:g}" for one in values) for values in (asked.levels, asked.severities)
    )
    return (
        f"eval robustness=[all] robustness.levels=[{levels}] robustness.severities=[{severities}] "
        f"trainer.limit_test_batches={asked.batches}"
    )


def _run_missing(planner: "Planner", asked: "BoardArguments", args: argparse.Namespace) -> int:
    from snnlab.tables.launch import run_missing

    def planned() -> "list[PlannedRun]":
        return _plan(planner, asked).runs

    paths = [one for one in asked.of_runs if one.startswith("paths.")]
    return run_missing(planned, [*paths, *asked.hydra], args.config_dir, args.main)


def _print_plan(plan: "Plan") -> int:
    from snnlab.tables.plan_text import data_lines, plan_lines

    print("\n".join([*plan_lines(plan), *data_lines([plan])]))
    return 0


def _facts(plan: "Plan", asked: "BoardArguments", given: Sequence[str]) -> list[tuple[str, str]]:
    """What was done on what: of the first run that is there, as all share data and recipe."""
    cfg = next(run.cfg for cell in plan.cells for run in cell.runs)
    found = next(
        (run.result for cell in plan.cells for run in cell.runs if not run.waits and run.result), None
    )
    count = asked.batches * cfg.trainer.batch_size
    facts = [
        ("command", " ".join(["snnlab board", *given, "--run"])),
        ("recipe", f"{cfg.experiment}: {cfg.model.name}, T = {cfg.num_steps}, {cfg.trainer.epochs} epochs"),
        ("seeds", ", ".join(map(str, asked.seeds))),
        ("held-out samples", f"{count:,} of {cfg.dataset.name}, the same under each condition"),
        ("levels of noise", ", ".join(f"{one:g}" for one in asked.levels)),
        ("severities of corruptions", ", ".join(map(str, asked.severities))),
    ]
    if found is not None:
        split = f"{found['split']}: {found['num_train']:,} to train"
        facts += [("split", split), ("code", str(found.get("code"))), ("threads", str(found.get("threads")))]
    return facts
