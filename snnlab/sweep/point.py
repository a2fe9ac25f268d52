"""A point of a sweep: one combination of the swept values, which is one run, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from snnlab.config.schema import RunConfig
from snnlab.errors import PREEMPTED, ConfigError
from snnlab.runs.identity import run_dir
from snnlab.runs.results import read_result, read_status, running_in
from snnlab.runs.reuse import differences
from snnlab.sweep.launcher import ProcessReturn


@dataclass(frozen=True)
class Point:
    """One run of a sweep.

    Args:
        chosen: the swept keys with this point's values, as overrides spell them.
        cfg: its config.
        hydra_overrides: the overrides that Hydra's sweeper gives to the point's task.
        status: done, failed, interrupted, running elsewhere or not run.
        reason: why it failed.
    """

    chosen: Mapping[str, str]
    cfg: RunConfig
    hydra_overrides: frozenset[str] = frozenset()
    status: str = "not run"
    reason: str = ""

    @cached_property
    def run_dir(self) -> Path:
        return run_dir(self.cfg)

    @property
    def label(self) -> str:
        """The swept keys with this point's values."""
        return " ".join(f"{key}={value}" for key, value in self.chosen.items()) or self.cfg.experiment

    @property
    def row(self) -> str:
        """The swept keys without the seed: runs with the same row are averaged."""
        parts = [f"{key}={value}" for key, value in self.chosen.items() if key != "seed"]
        return " ".join(parts) or self.cfg.experiment

    def ended(self, process: ProcessReturn | None) -> "Point":
        """The same point with its outcome: the process's, or what its run directory says."""
        if process is not None:
            status = {0: "done", PREEMPTED: "interrupted"}.get(process.exit_code, "failed")
            return replace(self, status=status, reason=process.reason)
        if read_result(self.run_dir) is not None:
            try:
                others = differences(self.cfg, self.run_dir)
            except ConfigError as error:
                return replace(self, status="failed", reason=error.message)
            if others:
                reason = f"{self.run_dir} was made with other settings: {', '.join(others)}"
                return replace(self, status="failed", reason=reason)
            return replace(self, status="done")
        if holder := running_in(self.run_dir):
            return replace(self, status="running elsewhere", reason=holder)
        left = read_status(self.run_dir)
        known = {"failed": "failed", "preempted": "interrupted"}
        return replace(
            self, status=known.get(left.get("status", ""), "not run"), reason=left.get("reason") or ""
        )

    def left_in(self, queue: str) -> "Point":
        """The same point; one that has not run, as far as one sees, runs elsewhere if its job is in a queue."""
        if queue and self.status == "not run":
            return replace(self, status="running elsewhere", reason=queue)
        return self
