"""Reads what runs have left behind: result.json and status.json."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snnlab.metric_names import ACC, ECE

Result = Mapping[str, Any]


def read_result(run: Path) -> Result | None:
    """The result of a finished run, or None."""
    return _read(run / "result.json")


def read_status(run: Path) -> Result:
    """`{"status": running | done | failed | preempted, "reason": ...}`; empty if it was never started."""
    return _read(run / "status.json") or {}


def select_metric(result: Result | None, name: str) -> float:
    """A metric of the last epoch; NaN where there is none."""
    value = (result or {}).get("last", {}).get(name)
    return float(value) if isinstance(value, int | float) else math.nan


def headline(result: Result | None) -> str:
    """The two numbers that one looks at first."""
    accuracy, ece = select_metric(result, "test/acc"), select_metric(result, "test/ece")
    return f"test/acc {ACC.text(accuracy)}, test/ece {ECE.text(ece)}" if result else "no result"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None
