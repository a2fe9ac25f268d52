"""`snnlab eval robustness=[all]`: the same weights on clean, noisy and corrupted held-out samples, at every time step.

Shapes: B batch, C channels, H height, W width.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.table import Table
from torch import Tensor

from snnlab import build
from snnlab.atomic import write_json
from snnlab.config.measurements import RobustnessConfig
from snnlab.config.schema import RunConfig
from snnlab.data.inputs import Batch
from snnlab.data.loader import NOISE, derived_seed
from snnlab.errors import SnnlabError
from snnlab.evaluate.corruption_names import NOISES
from snnlab.evaluate.corruptions import KINDS, corrupted
from snnlab.evaluate.forward import Forward
from snnlab.evaluate.noise import NoisyInput
from snnlab.evaluate.one_pass import evaluate
from snnlab.evaluate.passes import opened
from snnlab.evaluate.stored_run import StoredRun
from snnlab.metric_names import ACC, OF_CALIBRATION, OVER_TIME, READINGS, known_at_each_step
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog
from snnlab.runs.records import read_record


@dataclass(frozen=True)
class Condition:
    """What is done to the samples.

    Attributes:
        kind: `clean`, a noise or a corruption.
        level: of the noise, or severity of the corruption; 0 for clean samples.
    """

    kind: str
    level: float


def conditions(asked: RobustnessConfig, still_images: bool) -> list[Condition]:
    """All that is measured, clean samples first.

    Raises:
        SnnlabError: a corruption is asked for by name, and the samples are no still images.
    """
    every = "all" in asked.kinds
    named = [kind for kind in KINDS if kind in asked.kinds]
    if named and not still_images:
        raise SnnlabError(
            f"robustness: {named[0]} is a corruption of still images",
            f"of recordings there are the noises: robustness=[clean,{','.join(NOISES)}]",
        )
    found = [Condition("clean", 0.0)] if every or "clean" in asked.kinds else []
    found += [Condition(kind, one) for kind in NOISES if every or kind in asked.kinds for one in asked.levels]
    corruptions = list(KINDS) if every and still_images else named
    return found + [Condition(kind, float(one)) for kind in corruptions for one in asked.severities]


def run(
    cfg: RunConfig, folder: Path, asked: RobustnessConfig, which: str = "last", weights: str = "model"
) -> int:
    """Measures a run's network under all conditions; what an interrupted call has measured is kept.

    Args:
        cfg: the run's configuration with overrides.
        folder: the run directory, where the numbers go as JSON.
        asked: kinds, levels, severities, seed.
        which: `last` or `best`.
        weights: `model` or `average`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or the data are text.
    """
    stored, passes = opened(cfg, folder, which, weights)
    if stored.dataset.reads_words:
        raise SnnlabError(f"robustness: {cfg.dataset.name} is text", "take a run on images or events")
    log = RunLog(None)
    digest = config_hash(cfg.raw, also={"robustness": asdict(asked)})
    path = folder / f"robustness-{stored.label}-t{cfg.num_steps}-{digest}.json"
    description = {"num_steps": cfg.num_steps, "seed": asked.seed, **stored.description()}
    weights_file = folder / "checkpoints" / f"{which}.pt"
    rows = _kept(path, description) if _is_newer(path, weights_file) else []
    known = {Condition(row["kind"], row["level"]) for row in rows}
    for condition in conditions(asked, stored.dataset.static):
        if condition not in known:
            rows.append(measured(stored, condition, asked.seed, passes.forward_of(stored)))
            write_json(path, {**description, **passes.description(), "rows": rows})
    log.write(_table(rows, f"{stored.title}, {cfg.num_steps} steps"))
    passes.say(log)
    log.write(f"Written to {path}")
    return 0


def measured(
    stored: StoredRun, condition: Condition, seed: int, forward: Forward | None = None
) -> dict[str, Any]:
    """The metrics of OVER_TIME at each step, by `<name>_<reading>`, as lists [T]; `forward` as in `evaluate`."""
    batches, pipeline = stored.batches(), stored.pipeline
    if condition.kind in NOISES:
        pipeline = NoisyInput(pipeline, condition.kind, condition.level, seed)
    elif condition.kind in KINDS:
        batches = _corrupted(batches, condition, seed)
    loss = build.build_loss(stored.cfg).to(pipeline.device)
    classes, precision = stored.dataset.num_classes, stored.cfg.trainer.precision
    found = evaluate(stored.model, loss, batches, pipeline, classes, precision, forward=forward)
    keys = [f"{metric.key}_{reading}" for metric in OVER_TIME for reading in READINGS]
    values = {key: list(known_at_each_step(found.metrics, key).values()) for key in keys}
    return {**asdict(condition), "samples": found.samples, **values}


def _corrupted(batches: Iterator[Batch], condition: Condition, seed: int) -> Iterator[Batch]:
    number = 0
    for raw, target in batches:
        images = [_image(one, condition, seed, number + index) for index, one in enumerate(raw)]
        number += len(images)
        yield torch.stack(images).to(raw.device), target


def _image(raw_CHW: Tensor, condition: Condition, seed: int, number: int) -> Tensor:
    rng = np.random.default_rng(derived_seed(seed, list(KINDS).index(condition.kind), NOISE, number))
    image_HWC = raw_CHW.permute(1, 2, 0).cpu().numpy()
    changed_HWC = corrupted(image_HWC, condition.kind, int(condition.level), rng)
    return torch.from_numpy(np.ascontiguousarray(changed_HWC.transpose(2, 0, 1)))


def _kept(path: Path, description: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that an earlier call on the same data has left."""
    found = read_record(path, lambda content: isinstance(content.get("rows"), list)) or {}
    same = all(found.get(key) == value for key, value in description.items() if key != "overrides")
    return list(found["rows"]) if found and same else []


def _is_newer(path: Path, other: Path) -> bool:
    return path.exists() and path.stat().st_mtime_ns >= other.stat().st_mtime_ns


def _table(rows: Sequence[dict[str, Any]], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    columns = (ACC, *OF_CALIBRATION)
    for head in ("samples", "level", *(one.heading for one in columns)):
        table.add_column(head, justify="left" if head == "samples" else "right", no_wrap=True)
    for row in rows:
        last = [row[f"{one.key}_cum"][-1] for one in columns]
        numbers = [
            one.number(math.nan if value is None else value) for one, value in zip(columns, last, strict=True)
        ]
        table.add_row(row["kind"], f"{row['level']:g}", *numbers)
    return table
