"""Where a number comes from: the run, its code, data, device."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnlab.runs.results import read_result
from snnlab.tables.plan import PlannedRun


def provenance(job: PlannedRun, row: str) -> dict[str, Any]:
    """What was run where, for a row of a table; no place of this machine."""
    result = read_result(job.folder) or {}
    environment = _environment(job.folder)
    kind = "generated data" if result.get("synthetic") else result.get("dataset")
    return {
        "row": row,
        "seed": job.cfg.seed,
        "run": "/".join(job.folder.parts[-3:]),
        "overrides": list(deciding(job.overrides)),
        "code": result.get("code"),
        "measured_on": f"{kind}, split {result.get('split')}: {result.get('num_train')} to train, "
        f"{result.get('num_test')} to test",
        "epochs": result.get("epochs"),
        "train_seconds": short(result.get("train_seconds")),
        "samples_per_second": short(result.get("samples_per_second")),
        **environment,
    }


def _environment(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "env.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return {
        "python": content.get("python"),
        "torch": content.get("packages", {}).get("torch"),
        "device": content.get("gpu") or content.get("device"),
        "threads": content.get("threads"),
    }


def deciding(overrides: Sequence[str]) -> tuple[str, ...]:
    """Without those that name places of this machine."""
    keys = ("paths.", "distill.teacher=", "logger.", "trainer.threads=", "trainer.progress=")
    return tuple(one for one in overrides if not one.lstrip("+").startswith(keys))


def short(value: float | None) -> float | None:
    """Seven digits are more than any table prints, and keep the files small."""
    return None if value is None else float(f"{value:.7g}")
