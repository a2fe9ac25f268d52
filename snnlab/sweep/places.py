"""Where the jobs of a sweep run: what a launcher of ours asks of it, and processes on this machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from snnlab.config.schema import RunConfig
from snnlab.machine import lifeline
from snnlab.sweep.options import ProcessOptions


class JobProcess(Protocol):
    """The process of a job, wherever it runs."""

    @property
    def where(self) -> str:
        """The machine, in words; empty where it is this one."""

    @property
    def has_begun(self) -> bool:
        """False while it waits for a machine."""

    @property
    def trouble(self) -> str:
        """Why there is no process whose exit code could be told; empty otherwise."""

    def poll(self) -> int | None:
        """Its exit code, as that of `subprocess.Popen`; None before its end."""

    def send_signal(self, number: int) -> None:
        """Sends it a signal; may be called in a signal's handler."""

    def close(self) -> None:
        """Frees what it holds. A process that has not begun never does."""


class Places(Protocol):
    """Starts jobs."""

    def is_free(self) -> bool:
        """Whether one more may be started."""

    def start(self, arguments: Sequence[str], cfg: RunConfig, log: Path | None) -> JobProcess:
        """Starts `snnlab <arguments>`.

        Args:
            arguments: the words after `snnlab`.
            cfg: the configuration of the run.
            log: where its output goes; None for this process's own.

        Raises:
            SnnlabError: no machine can run it.
        """


class LocalProcess:
    """A process on this machine."""

    where = ""
    has_begun = True
    trouble = ""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        output: IO[bytes] | None,
        free: list[int | None],
        slot: int | None,
    ) -> None:
        self._process = process
        self._output = output
        self._free = free
        self._slot = slot

    def poll(self) -> int | None:
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        self._free.append(self._slot)
        for file in (self._output, self._process.stdin):
            if file:
                file.close()


class LocalPlaces:
    """Processes on this machine, a few at a time, one GPU each if asked to.

    Args:
        options: how many at a time, on which GPUs.
    """

    def __init__(self, options: ProcessOptions) -> None:
        self._free = options.slots

    def is_free(self) -> bool:
        return bool(self._free)

    def start(self, arguments: Sequence[str], cfg: RunConfig, log: Path | None) -> LocalProcess:
        slot = self._free.pop(0)
        environment = dict(os.environ)
        if slot is not None:
            environment["CUDA_VISIBLE_DEVICES"] = str(slot)
        output = None if log is None else log.open("wb")
        process = lifeline.start(
            [sys.executable, "-m", "snnlab", *arguments],
            environment,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            # A terminal's Ctrl-C reaches this process only, which passes it on exactly once.
            start_new_session=True,
        )
        return LocalProcess(process, output, self._free, slot)
