"""How a job has ended, in words: the line, and the reason of a failure. The same under every launcher."""

import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from snnlab.errors import PREEMPTED
from snnlab.runs.listing import shown
from snnlab.runs.results import headline, read_result


def ending(name: str, folder: Path, code: int, seconds: float, log: Path | None, trouble: str = "") -> str:
    """What is said when a job ends.

    Args:
        name: what the line begins with.
        folder: the run directory.
        code: the exit code of its process.
        seconds: how long it took.
        log: the file with its output, if there is one.
        trouble: why there is no process whose exit code could be told.
    """
    took = f"{seconds:.0f} s"
    if code == 0:
        return f"{name}: done in {took}; {headline(read_result(folder))}"
    if code == PREEMPTED:
        return f"{name}: interrupted after {took}; the same command continues it"
    lines = "".join(f"\n    {line}" for line in [*tail(log), *filter(None, [trouble])])
    where = "" if log is None else f"\n    (whole output: {shown(log)})"
    return f"{name}: FAILED after {took}, {_how(code)}{lines}{where}"


def tail(log: Path | None, lines: int = 12) -> list[str]:
    """The last lines of a log that hold something."""
    if log is None or not log.is_file():
        return []
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in text if line.strip()][-lines:]


def reason_in(lines: Sequence[str], exit_code: int) -> str:
    """Why a job failed: the last error that it wrote, else its last line; of a killed one, what has killed it."""
    written = [line for line in lines if line.strip()]
    errors = [line for line in written if line.startswith("error: ")]
    last = written if exit_code >= 0 else []  # whoever kills it writes nothing there
    return (errors or last or [_how(exit_code)])[-1].removeprefix("error: ")


def _how(code: int) -> str:
    """The exit code of a process, or the signal that has killed it, which Python writes as a negative number."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
