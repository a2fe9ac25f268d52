"""A stop signal while a run trains: the current step is finished, the state is saved, the run can be continued."""

import signal
from types import FrameType, TracebackType
from typing import Self

from snnlab.machine.processes import ALONE, Processes
from snnlab.signals import Handlers, Stopped, handle_stop_signals, noted, restore


class Interrupt:
    """While active, a stop signal is noted. Further ones change nothing, but for Ctrl-C, which then stops at once.

    Schedulers and shells often send a signal twice, to a job and to each of its processes.

    Args:
        processes: that stop together.
    """

    def __init__(self, processes: Processes = ALONE) -> None:
        self._processes = processes
        self._signal: str | None = None
        self._previous: Handlers = {}

    def __enter__(self) -> Self:
        self._previous = handle_stop_signals(self._request)
        self._signal = self._signal or noted()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        restore(self._previous)

    def requested(self) -> bool:
        """True once a signal has come, to this process or to one of the others, which ask at the same places."""
        return self._processes.any(self._signal is not None)

    @property
    def reason(self) -> str:
        """The signal that came."""
        return self._signal or "a signal to another process"

    def _request(self, number: int, frame: FrameType | None) -> None:
        again = self._signal is not None
        self._signal = signal.Signals(number).name
        if again and number == signal.SIGINT:
            raise Stopped(self._signal)
