import os
import signal

import pytest

from snnlab.signals import STOP_SIGNALS, Stopped, noted, raise_when_stopped, restore


def test_they_are_what_terminals_and_schedulers_send() -> None:
    assert {one.name for one in STOP_SIGNALS} == {"SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"}


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_each_stops_a_command_and_is_remembered(number: signal.Signals) -> None:
    earlier = signal.getsignal(number)
    handlers = raise_when_stopped()
    try:
        assert noted() is None
        with pytest.raises(Stopped, match=number.name):
            os.kill(os.getpid(), number)
        assert noted() == number.name
    finally:
        restore(handlers)
    assert signal.getsignal(number) == earlier


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        restore(raise_when_stopped())
        handlers = raise_when_stopped()
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            restore(handlers)
        assert noted() is None
    finally:
        signal.signal(signal.SIGHUP, earlier)
