"""Ctrl-C and SIGTERM: the current step is finished, the state is saved, the run can be continued."""

import signal
from types import FrameType, TracebackType
from typing import Self

from snnlab.machine.processes import ALONE, Processes

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While active, the first SIGINT or SIGTERM is noted; the second one acts as it always does.

    Args:
        processes: that stop together.
    """

    def __init__(self, processes: Processes = ALONE) -> None:
        self._processes = processes
        self._signal: str | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def requested(self) -> bool:
        """True once a signal has come, to this process or to one of the others, which ask at the same places."""
        return self._processes.any(self._signal is not None)

    @property
    def reason(self) -> str:
        """The signal that came."""
        return self._signal or "a signal to another process"

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number).name
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # the value that signal.signal gave
        self._previous.clear()
