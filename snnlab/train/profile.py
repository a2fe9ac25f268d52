"""`trainer.profile`: a trace of a few training steps, and a table of the time spent in each operation."""

from types import TracebackType
from typing import Self

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from snnlab.atomic import write_text
from snnlab.runs.files import RunFiles
from snnlab.runs.log import RunLog

WARM_UP, TRACED = 2, 3


class Profile:
    """Traces some steps after a warm-up if enabled; otherwise does nothing.

    Writes `trace.json` (for a trace viewer such as Perfetto) and the table `profile.txt` into the run directory.
    """

    def __init__(self, on: bool, files: RunFiles, log: RunLog) -> None:
        self._files, self._log = files, log
        self._profile: profile | None = None
        if on:
            activities = [ProfilerActivity.CPU]
            if torch.cuda.is_available():
                activities.append(ProfilerActivity.CUDA)
            self._profile = profile(
                activities=activities,
                schedule=schedule(wait=0, warmup=WARM_UP, active=TRACED, repeat=1),
                on_trace_ready=self._write,
                profile_memory=True,
            )

    def __enter__(self) -> Self:
        if self._profile is not None:
            self._profile.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._profile is not None:
            self._profile.stop()

    def step(self) -> None:
        """Marks the end of a training step."""
        if self._profile is not None:
            self._profile.step()

    def _write(self, done: profile) -> None:
        done.export_chrome_trace(str(self._files.folder / "trace.json"))
        order = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
        table = done.key_averages().table(sort_by=order, row_limit=20)
        write_text(self._files.folder / "profile.txt", table)
        self._log.write(f"Profile of {TRACED} steps: {self._files.folder / 'profile.txt'} and trace.json")
