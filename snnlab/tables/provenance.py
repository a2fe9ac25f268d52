"""The provenance of a number: the run, its code, data, device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnlab.runs.records import read_record
from snnlab.runs.results import is_environment, read_result
from snnlab.tables.cell_values import cell_value
from snnlab.tables.planned import PlannedRun


def provenance(run: PlannedRun, row: str) -> dict[str, Any]:
    """The provenance of a row's run, without paths of this machine."""
    result = read_result(run.folder) or {}
    environment = _environment(run.folder)
    data = result.get("data") or {}
    files = f", files {data['hash'][:8]}" if data.get("hash") else ""
    kind = "generated data" if result.get("synthetic") else result.get("dataset")
    return {
        "row": row,
        "seed": run.cfg.seed,
        "run": "/".join(run.folder.parts[-3:]),
        "overrides": list(deciding(run.overrides)),
        "code": result.get("code"),
        "measured_on": f"{kind}, split {result.get('split')}: {result.get('num_train')} to train, "
        f"{result.get('num_test')} to test{files}",
        "data": data.get("hash"),
        "split_hash": data.get("split_hash"),
        "epochs": result.get("epochs"),
        "train_acc": short(cell_value(run, "train/acc", "last")),
        "train_seconds": short(result.get("train_seconds")),
        "samples_per_second": short(result.get("samples_per_second")),
        **environment,
    }


def _environment(folder: Path) -> dict[str, Any]:
    content = read_record(folder / "env.json", is_environment) or {}
    return {
        "python": content.get("python"),
        "torch": (content.get("packages") or {}).get("torch"),
        "device": content.get("gpu") or content.get("device"),
        "threads": content.get("threads"),
    }


def deciding(overrides: Sequence[str]) -> tuple[str, ...]:
    """The overrides without those that hold paths of this machine."""
    keys = ("paths.", "distill.teacher=", "logger.", "logger=", "trainer.threads=", "trainer.progress=")
    return tuple(one for one in overrides if not one.lstrip("+").startswith(keys))


def short(value: float | None) -> float | None:
    """Rounds to seven digits, more than any table prints, to keep the files small."""
    return None if value is None else float(f"{value:.7g}")
