"""Sends a job of submitit to the queue again when it was warned of its end; the next start continues its run."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

WARNINGS = ("SIGUSR1", "SIGUSR2")
"""What schedulers send some time before the end of a job. SIGTERM and Ctrl-C also come from whoever cancels it."""


def requeue_if_warned(reason: str | None) -> None:
    """Does nothing outside of submitit, and where the run was stopped by another signal.

    Args:
        reason: the signal that stopped it.

    Raises:
        SystemExit: the job is in the queue again; submitit's launcher waits for it.
    """
    handler = _of_submitit()
    if handler is not None and reason in WARNINGS:
        # It stores the call for the next start, unless the job was over its time too often, and ends the process.
        from submitit.core.utils import UncompletedJobError

        with suppress(UncompletedJobError):  # it may not be queued again: the same command continues its run
            handler(signal.Signals[reason].value, None)


def _of_submitit() -> Callable[[int, Any], Any] | None:
    """The handler that submitit has installed in its job, which ours replaced while the run trained."""
    if "SUBMITIT_FOLDER" not in os.environ:
        return None
    for name in WARNINGS:
        handler = signal.getsignal(signal.Signals[name])
        if callable(handler) and getattr(handler, "__name__", "") == "checkpoint_and_try_requeue":
            return handler
    return None
