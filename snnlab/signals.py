"""The signals that ask a command to stop: Ctrl-C, a scheduler's warning, a closed terminal. No torch.

A command that gets one ends with exit code 75; while a run trains, its state is saved first (`machine/interrupt.py`).
"""

import signal
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any, NoReturn

# SIGUSR1 and SIGUSR2 are what schedulers send some minutes before the end of a job.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
STOP_SIGNALS: tuple[signal.Signals, ...] = tuple(
    signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__
)

Handlers = Mapping[signal.Signals, Any]
_noted: str | None = None


class Stopped(KeyboardInterrupt):
    """A command was asked to stop.

    Args:
        reason: the signal's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def handle_stop_signals(handler: Any) -> Handlers:
    """Gives all stop signals a handler and returns the earlier ones, for `restore`.

    SIGHUP stays ignored where it is (`nohup`). Outside of the main thread nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    taken = [one for one in STOP_SIGNALS if one != _hang_up() or signal.getsignal(one) != signal.SIG_IGN]
    return {one: signal.signal(one, handler) for one in taken}


def restore(handlers: Handlers) -> None:
    """Puts back what `handle_stop_signals` returned."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def raise_when_stopped() -> Handlers:
    """From now on a stop signal raises `Stopped`, wherever the command is."""
    global _noted
    _noted = None
    return handle_stop_signals(_raise)


def noted() -> str | None:
    """The last signal that raised `Stopped`. Code of others may have swallowed the exception."""
    return _noted


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    global _noted
    _noted = signal.Signals(number).name
    raise Stopped(_noted)


def _hang_up() -> signal.Signals | None:
    return signal.Signals.__members__.get("SIGHUP")
