"""How far a run has come: counters and best metrics, which every checkpoint holds."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Position:
    """The position of a run in its training; part of every checkpoint.

    Attributes:
        epoch: finished epochs.
        step: finished optimiser steps of the current epoch.
        total_steps: finished optimiser steps in all.
        rows: lines of `metrics.jsonl` that belong to this state.
        seconds: time spent in training steps.
        samples: samples seen in that time.
        best: `epoch`, `value` and `metrics` of the best evaluation so far.
        last: `epoch`, `value` and `metrics` of the last evaluation.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    rows: int = 0
    seconds: float = 0.0
    samples: int = 0
    best: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
