"""Where the output goes may have an end: `| head`, or the `tee` of a lost terminal. The work goes on without it."""

import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast


class Unheard:
    """A stream whose reader may leave; what is written after that goes nowhere.

    Args:
        stream: one with a number, such as the standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            silence(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            silence(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def go_on_unheard() -> None:
    """Lets this process work on when nobody reads its output any more: its files are the record."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Unheard):
            setattr(sys, name, cast(TextIO, Unheard(stream)))


def silence(stream: TextIO) -> None:
    """Sends what is still to be written nowhere, lest Python fails again when it flushes at exit."""
    with suppress(OSError, ValueError):  # a test's output has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
