"""A job of one of Hydra's own launchers: the launcher's worker starts it as a process of its own and waits for it.

So a job that is killed, or gets a signal, ends alike whoever starts it, and takes no worker with it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED, SnnlabError
from snnlab.machine import lifeline
from snnlab.runs.identity import run_dir
from snnlab.runs.results import read_status, running_in
from snnlab.runs.reuse import stored_result
from snnlab.signals import STOP_SIGNALS, handle_stop_signals, restore
from snnlab.sweep.ending import reason_in, tail
from snnlab.sweep.outcome import Outcome, Outcomes
from snnlab.sweep.requeue import requeue_if_warned

LOOK_AGAIN_SECONDS = 2.0  # at points that run elsewhere
POLL_SECONDS = 0.1
IN_USE = SnnlabError.exit_code  # of a run, among other things, whose directory is in use


@dataclass(frozen=True)
class Beside:
    """Runs jobs beside this process.

    Args:
        outcomes: where it says how each stands.
        sweep: the process of the sweep, with which the jobs end; None if they stay, in the queue of a cluster.
        environment: theirs.
    """

    outcomes: Outcomes
    sweep: int | None
    environment: Mapping[str, str]

    def run(self, cfg: RunConfig, overrides: Sequence[str], config_dirs: Sequence[str]) -> int:
        """Trains and returns the exit code; waits first where another process works on the run.

        Raises:
            SystemExit: the job is in its scheduler's queue again.
        """
        run = run_dir(cfg)
        log = self.outcomes.file(run, ".log").absolute()
        job = Outcome(
            tuple(overrides),
            tuple(config_dirs),
            None,
            "",
            run=str(run.absolute()),
            log=str(log),
            host=socket.gethostname(),
        )
        words = ["train", *overrides, *(f"--config-dir={one}" for one in config_dirs)]
        code, began = IN_USE, time.monotonic()
        while code == IN_USE:
            if not self._wait_for(run, job):
                return PREEMPTED
            if cfg.trainer.on_existing == "resume" and stored_result(cfg, run) is not None:
                self.outcomes.write(run, replace(job, exit_code=0))
                return 0
            self.outcomes.write(run, job)
            began = time.monotonic()
            code, last = self._train(words, log)
            if running_in(run) is None:
                break
        if code == PREEMPTED:
            requeue_if_warned(last or read_status(run).get("reason"))
        reason = reason_in(tail(log), code) if code not in (0, PREEMPTED) else ""
        seconds = max(time.monotonic() - began, 0.001)
        self.outcomes.write(run, replace(job, exit_code=code, reason=reason, seconds=seconds))
        if self._is_left():
            os._exit(code)  # or the worker would wait for work, minutes long
        return code

    def _train(self, words: Sequence[str], log: Path) -> tuple[int, str]:
        """The exit code of `snnlab <words>`, and the signal that it was passed last."""
        signals: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            # Else the sweep passes on what reaches all processes, such as a terminal's Ctrl-C.
            if self.sweep is None:
                # As a second Ctrl-C would stop it at once, and schedulers send what they send more than once.
                signals.append(signal.SIGTERM if number == signal.SIGINT else number)

        log.parent.mkdir(parents=True, exist_ok=True)
        previous = handle_stop_signals(note)
        try:
            with log.open("wb") as output:
                process = lifeline.start(
                    [sys.executable, "-m", "snnlab", *words],
                    self.environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            sent = 0
            while (code := process.poll()) is None:
                told = self._told(signals)
                for number in told[sent:]:
                    process.send_signal(number)
                sent = len(told)
                time.sleep(POLL_SECONDS)
        finally:
            restore(previous)
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        last = signal.Signals(told[-1]).name if (told := self._told(signals)) else ""
        return PREEMPTED if last and -code in STOP_SIGNALS else code, last

    def _told(self, signals: Sequence[int]) -> list[int]:
        """The signals for this job, each as often as it came."""
        if self.sweep is None:
            return list(signals)
        return [*self.outcomes.signals(), *([signal.SIGTERM] if self._is_left() else [])]

    def _is_left(self) -> bool:
        """Whether the sweep is gone, with which its jobs end."""
        return self.sweep is not None and os.getppid() != self.sweep

    def _wait_for(self, run: Path, job: Outcome) -> bool:
        """Waits while another process works in a run directory, and says so; False if the sweep stops before."""
        said = ""
        while not self._told([]):
            if (holder := running_in(run)) is None:
                return True
            if holder != said:
                said = holder
                self.outcomes.write(run, replace(job, elsewhere=holder))
            time.sleep(LOOK_AGAIN_SECONDS)
        return False
