"""Runs the commands that draw a figure, once its runs are there."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from snnlab.tables.planned import Plan


def run_commands(plan: Plan, folder: Path, snnlab: Callable[[list[str]], int]) -> int:
    """Runs all of a figure's commands, also after one that failed; none while runs are missing.

    Args:
        plan: the figure's.
        folder: where the files go that it writes by its own name.
        snnlab: runs a command line in this process; `python ...` gets a process of its own.

    Returns:
        The greatest exit code.
    """
    if any(run.state != "done" for run in plan.runs):
        return 0
    return max((_run(line, snnlab) for line in command_lines(plan, folder)), default=0)


def command_lines(plan: Plan, folder: Path) -> Iterator[str]:
    """A figure's commands with their places filled in: one line for each run where a command is about one."""
    runs = [shlex.quote(str(run)) for run in plan.subjects]
    for command in plan.table.draw_at(plan.scale):
        line = command.replace("{name}", shlex.quote(str(folder / plan.name)))
        line = line.replace("{runs}", " ".join(runs))
        if "{run}" not in line:
            yield line
            continue
        more = shlex.join(plan.runs[0].about_it)
        yield from (f"{line.replace('{run}', run)} {more}" for run in runs)


def _run(line: str, snnlab: Callable[[list[str]], int]) -> int:
    words = shlex.split(line)
    python = words[0] == "python"
    sys.stdout.write(f"draw: {'' if python else 'snnlab '}{line}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, *words[1:]], check=False).returncode if python else snnlab(words)
