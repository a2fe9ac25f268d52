"""A command started by another one ends with it, whatever ends the other: no orphan works on. No torch.

The child's standard input is a pipe whose other end only its parent holds. When the parent is gone, killed or not, the
kernel closes the pipe; the child reads its end and sends itself SIGTERM, so that a run is saved and ends with 75. This
needs nothing of the system but pipes.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

_VARIABLE = "SNNLAB_ENDS_WITH_STDIN"


def start(
    command: Sequence[str], environment: Mapping[str, str] = os.environ, **options: Any
) -> subprocess.Popen[bytes]:
    """Starts a snnlab command, as `subprocess.Popen` does, that ends when this process does.

    Args:
        command: the words of the command.
        environment: its environment.
        options: of `subprocess.Popen`; `stdin` is taken.
    """
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**environment, _VARIABLE: "1"}, **options)


def run(command: Sequence[str], **options: Any) -> int:
    """Starts a command that ends when this process does, waits for it, and returns its exit code."""
    with start(command, **options) as child:
        try:
            return child.wait()
        except BaseException:
            child.terminate()
            raise


def watch() -> None:
    """Called when a command begins: watches the process that started it, if `start` did.

    Signals that the other one blocks, as Ray's workers do Ctrl-C's, are inherited as blocked; here they come through.
    """
    if os.environ.pop(_VARIABLE, None):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    with suppress(OSError):
        while os.read(0, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
