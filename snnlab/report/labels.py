"""The settings in which runs differ, and a short label for each run."""

from collections.abc import Sequence
from typing import Any

from snnlab.registry import SEVERAL
from snnlab.report.run_data import RunData
from snnlab.runs.deciding import decides


def differing(runs: Sequence[RunData]) -> list[tuple[str, list[str]]]:
    """The settings in which the runs differ, with each one's value."""
    absent = object()
    keys = dict.fromkeys(key for run in runs for key in run.config)
    found = []
    for key in keys:
        values = [run.config.get(key, absent) for run in runs]
        if any(value != values[0] for value in values) and not key.startswith("paths."):
            found.append((key, ["-" if value is absent else as_text(value) for value in values]))
    return found


def labels_of(runs: Sequence[RunData]) -> list[str]:
    """A short label for each run from what differs: names of components, then other settings, then the seed."""
    if len(runs) == 1:
        return [runs[0].name]
    rows = {key: values for key, values in differing(runs) if not key.startswith(("trainer.", "logger."))}
    names = [key for key in rows if key.endswith(".name") or key == "num_steps"]
    others = [key for key in rows if key not in names and key not in ("seed", "experiment")]
    chosen = names or others[:2]
    several = [kind for kind in SEVERAL if len({_names(run, kind) for run in runs}) > 1]
    labels = []
    for n, run in enumerate(runs):
        parts = [
            rows[key][n] if key.endswith(".name") else f"{key.rpartition('.')[2]} {rows[key][n]}"
            for key in chosen
        ]
        parts += [text for kind in several if (text := _names(run, kind))]
        labels.append(" ".join(parts))
    for label in dict.fromkeys(labels):
        twins = [n for n, one in enumerate(labels) if one == label]
        apart = [row for row in differing([runs[n] for n in twins]) if decides(row[0])]
        for key, values in apart[:2]:
            for n, value in zip(twins, values, strict=True):
                labels[n] += f" {key.rpartition('.')[2]} {value}"
    return [
        f"{label} seed {run.seed}".lstrip() if "seed" in rows or not label else label
        for run, label in zip(runs, labels, strict=True)
    ]


def but_for_the_seed(runs: Sequence[RunData], labels: Sequence[str]) -> list[str]:
    """The label of each run without its seed; empty if the runs differ in the seed only."""
    return [label.removesuffix(f"seed {run.seed}").rstrip() for run, label in zip(runs, labels, strict=True)]


def as_text(value: Any) -> str:
    """A setting as a user would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_text, value))}]"
    if isinstance(value, dict):
        return "none" if not value else str(value)
    return "null" if value is None else str(value)


def _names(run: RunData, kind: str) -> str:
    """The components of a kind of which a run has any number."""
    found = (key.split(".")[1] for key in run.config if key.startswith(f"{kind}."))
    return "+".join(dict.fromkeys(found))
