"""An exception out of a user's own component, as one line: which line of which file, and what Python says about it."""

import os
import sys
from collections.abc import Iterator
from types import TracebackType

from snnlab.errors import ConfigError
from snnlab.registry import packages_used

SHOWN = "SNNLAB_TRACEBACK"
"""The environment variable that keeps the traceback."""
HINT = f"correct the component's source; {SHOWN}=1 in the environment prints the whole traceback"


def as_own_mistake(error: BaseException) -> ConfigError | None:
    """The error to print for an exception that passed through a plugin; None for any other, and if SHOWN is set.

    The innermost line of the plugin is named, as what it calls, PyTorch say, is rarely to blame.
    """
    own = packages_used()
    places = [
        f"{file}:{line}"
        for one in _chain(error)
        for module, file, line in _lines(one)
        if module.partition(".")[0] in own
    ]
    if not places or os.environ.get(SHOWN):
        return None
    said = next(iter(str(error).strip().splitlines()), "")
    return ConfigError(f"{places[-1]}: {type(error).__name__}{f': {said}' if said else ''}", HINT)


def source_of(cls: type) -> str:
    """What an error about a class begins with: its file, and its name."""
    return f"{sys.modules[cls.__module__].__file__}: {cls.__name__}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """What the exception was raised from, the first one first."""
    if error.__cause__ is not None:
        yield from _chain(error.__cause__)
    yield error


def _lines(error: BaseException) -> Iterator[tuple[str, str, int]]:
    """Module, file and line of each call that the exception has passed, the outermost first."""
    step: TracebackType | None = error.__traceback__
    while step is not None:
        frame = step.tb_frame
        yield str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename, step.tb_lineno
        step = step.tb_next
