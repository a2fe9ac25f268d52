"""What `snnlab table --plan` prints: runs needed, there and missing, data sets, an estimate of time."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from snnlab.config.schema import RunConfig
from snnlab.duration import duration
from snnlab.runs.results import read_status
from snnlab.tables.estimate import estimate
from snnlab.tables.planned import Cell, Plan, PlannedRun
from snnlab.tables.scales import EMBEDDED

MARKS = {
    "done": "done",
    "unmeasured": "trained, to be measured",
    "running": "runs elsewhere",
    "interrupted": "continues",
    "failed": "failed, starts again",
    "missing": "missing",
    "waits": "waits for its teacher",
}
# Beginnings of reasons that do not count as gaps of a table, and the text printed for them.
LEFT_OUT = {"not at the": "not at this scale", "not in the paper": "not in the paper"}


def plan_lines(plan: Plan, *, every_run: bool = True) -> list[str]:
    """A plan, with a line for each run if asked for."""
    runs = _one_for_each_run(plan.runs)
    states = Counter(run.state for run in runs)
    cells = Counter(_kind(cell) for cell in plan.cells)
    lines = [f"{plan.name} (scale {plan.scale}): {plan.table.title}"]
    if plan.cells:
        lines.append(
            f"  cells    {len(plan.cells)}: {cells['runs']} from runs, {cells['cited']} cited, "
            f"{cells['missing']} not possible here yet"
            + "".join(f", {cells[why]} {text}" for why, text in LEFT_OUT.items() if cells[why])
        )
    done = states["done"]
    rest = [f"{states[state]} {text}" for state, text in MARKS.items() if state != "done" and states[state]]
    lines.append(
        f"  runs     {len(runs)}: {', '.join([f'{done} done', *rest])}" if runs else "  runs     none"
    )
    lines += _run_lines(plan, runs) if every_run else []
    lines += time_lines(runs)
    lines += [f"  missing  {'; '.join(rows)}: {why}" for why, rows in plan.missing.items()]
    return lines


def _kind(cell: Cell) -> str:
    for start in LEFT_OUT:
        if cell.why.startswith(start):
            return start
    return "cited" if cell.why == "cited" else "missing" if cell.why else "runs"


def _one_for_each_run(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Each run once, though several measurements may follow it; one that is not done is preferred."""
    found: dict[tuple[str, str], PlannedRun] = {}
    for run in sorted(runs, key=lambda one: one.state == "done"):
        found.setdefault((str(run.folder), str(run.waits and run.waits.folder)), run)
    chosen = {id(run) for run in found.values()}
    return [run for run in runs if id(run) in chosen]


def _run_lines(plan: Plan, runs: Sequence[PlannedRun]) -> list[str]:
    """A line for each configuration with the state of its seeds, and the folder that holds them."""
    grouped: dict[tuple[str, ...], list[PlannedRun]] = {}
    for run in runs:
        said = tuple(one for one in run.overrides if not one.startswith("seed=") and one not in plan.by_hand)
        grouped.setdefault(said, []).append(run)
    lines = []
    for said, group in grouped.items():
        states: dict[str, list[str]] = {}
        for run in group:
            states.setdefault(MARKS[run.state], []).append(str(run.cfg.seed))
        state = "; ".join(f"seed {', '.join(seeds)} {name}" for name, seeds in states.items())
        where = "" if group[0].state == "waits" else f" in {_relative(group[0].folder.parent)}"
        lines += [f"    {' '.join(said)}", f"        {state}{where}"]
    return lines


def total_lines(plans: Sequence[Plan]) -> list[str]:
    """All plans together; a run that several tables share counts once."""
    unique = {
        str(run.folder) + run.measure + str(bool(run.waits)): run for plan in plans for run in plan.runs
    }
    runs = list(unique.values())
    states = Counter(run.state for run in runs)
    text = ", ".join(f"{count} {MARKS[state]}" for state, count in states.most_common())
    return [f"all {len(plans)}", f"  runs     {len(runs)} different: {text}", *time_lines(runs)]


def time_lines(runs: Sequence[PlannedRun]) -> list[str]:
    """How long the runs that are not done will take on this machine, one after the other."""
    todo = [run for run in runs if run.state not in ("done", "unmeasured")]
    if not todo:
        return []
    found = estimate(todo)
    known = len(todo) - found.unknown
    unknown = (
        f"{found.unknown} of a kind that was never run here (no measured throughput)" if found.unknown else ""
    )
    if not known:
        return [f"  time     unknown: {unknown}"]
    text = f"about {duration(found.seconds)} for {known} runs, one after the other, from measured throughput"
    return [f"  time     {text}{f'; {unknown}' if unknown else ''}"]


def unfinished_lines(plans: Sequence[Plan], *, stopped: bool) -> list[str]:
    """What is not done after `--run`, each run once with its reason."""
    if stopped:
        return ["Stopped. The same command continues."]
    runs = {str(run.folder) + run.measure: run for plan in plans for run in plan.runs if run.state != "done"}
    reasons = {
        **MARKS,
        "missing": "could not start, see above",
        "unmeasured": "trained, not measured, see above",
    }
    lines = ["Not done, and tried again by the same command:"] if runs else []
    for run in runs.values():
        said = " ".join(one for one in run.overrides if not one.startswith(("paths.", "trainer.")))
        reason = read_status(run.folder).get("reason") if run.state == "failed" else None
        lines.append(f"    {said}: {reason or reasons[run.state]}")
    return lines


def data_lines(plans: Sequence[Plan]) -> list[str]:
    """The data sets of all runs, and whether they are there."""
    configs: dict[str, RunConfig] = {}
    generated = False
    for run in [run for plan in plans for run in plan.runs]:
        generated |= run.cfg.trainer.synthetic
        if not run.cfg.trainer.synthetic:
            configs.setdefault(run.cfg.dataset.name, run.cfg)
    lines = ["  data     generated in a data set's shape: always there"] if generated else []
    return lines + [f"  data     {name}: {_presence(cfg)}" for name, cfg in sorted(configs.items())]


def _presence(cfg: RunConfig) -> str:
    if cfg.dataset.name in EMBEDDED:
        return "comes with the packages"
    # The data sets know where they are; only they import torch.
    from snnlab.build import build_dataset

    status = build_dataset(cfg).status()
    return f"there, {status.where}" if status.present else f"not there. {status.note}"


def _relative(folder: Path) -> str:
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith(os.pardir) else relative
