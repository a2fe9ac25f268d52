"""Errors that the user can act on: one message line, one hint line, no traceback on the command line."""

from collections.abc import Sequence
from typing import Self

# Exit code of a run that was interrupted and can be continued: EX_TEMPFAIL of sysexits.h, "try again later".
PREEMPTED = 75


class SnnlabError(ValueError):
    """Something the user can fix; the command line prints `error: <message>` and `hint: <hint>`.

    Args:
        message: what is wrong, in one line, starting with the key or the file it is about.
        hint: what to do about it, in one line, best a command or the values that are allowed.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class ConfigError(SnnlabError):
    """A configuration that cannot be run. `problems` holds all that was found, this error being the first."""

    problems: tuple["ConfigError", ...] = ()

    @classmethod
    def first_of(cls, problems: Sequence["ConfigError"]) -> "ConfigError":
        """The first problem, with a word on how many more there are."""
        more = len(problems) - 1
        hint = problems[0].hint
        if more:
            hint = f"{hint} (+ {more} more problem{'s' if more > 1 else ''}: snnlab check --json)".strip()
        first = cls(problems[0].message, hint)
        first.problems = tuple(problems)
        return first


class DataError(SnnlabError):
    """Data that is missing, incomplete or not in the expected format."""


class RunError(SnnlabError):
    """A run that failed for a reason worth a sentence, such as a loss that is not finite."""

    exit_code = 1


def reason(error: Exception) -> str:
    """The first line of a foreign error, with its type."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__
