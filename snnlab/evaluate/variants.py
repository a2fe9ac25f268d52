"""`snnlab eval time_scale=[1,2,4]`: the same weights with several settings of the neuron, one table row for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from snnlab.atomic import write_json
from snnlab.config.schema import RunConfig
from snnlab.evaluate.passes import Passes
from snnlab.evaluate.stored_run import load_run
from snnlab.machine.device import set_up
from snnlab.metric_names import ACC, ECE, NLL
from snnlab.plots.figure import files_of
from snnlab.plots.time_scale import plot_time_scale
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog

COLUMNS = (ACC, NLL, ECE)


def run(
    rows: Sequence[RunConfig], folder: Path, which: str, weights: str, variants: Sequence[Sequence[str]]
) -> int:
    """Measures a run's network under several configurations.

    Args:
        rows: the run's configuration with the overrides of each row.
        folder: the run directory, where the table goes as JSON; rows that differ in `neuron.time_scale` alone are
            drawn against the mean number of time steps as well.
        which: `last` or `best`.
        weights: `model`, or `average` for their moving average.
        variants: the overrides that name each row.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint, or its weights do not fit a configuration.
    """
    device = set_up(rows[0].trainer)
    passes = Passes(rows[0].trainer, device)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("settings", no_wrap=True)
    for title in ("mean T", *(one.heading for one in COLUMNS)):
        table.add_column(title, justify="right", no_wrap=True)
    found: list[dict[str, Any]] = []
    for cfg, variant in zip(rows, variants, strict=True):
        stored = load_run(cfg, folder, which, device, weights)
        metrics = passes.evaluate(stored).metrics
        values = {
            name: metrics[name] for name in ("time_steps", *(one.key for one in COLUMNS)) if name in metrics
        }
        found.append({"settings": list(variant), **values})
        steps = f"{values['time_steps']:.2f}" if "time_steps" in values else ""
        numbers = [one.number(values[one.key]) for one in COLUMNS]
        table.add_row(" ".join(one.removeprefix("neuron.") for one in variant), steps, *numbers)
    log = RunLog(None)
    log.write(table)
    passes.say(log)
    digest = config_hash(rows[0].raw, also={"rows": [config_hash(cfg.raw) for cfg in rows]})
    path = folder / f"eval-{which}-variants-{digest}.json"
    write_json(path, {"checkpoint": which, **stored.description(), **passes.description(), "rows": found})
    log.write(f"Written to {path}")
    if all(len(one) == 1 and one[0].startswith("neuron.time_scale=") for one in variants):
        points = [(values["time_steps"], values["acc"]) for values in found]
        drawn = plot_time_scale({folder.parent.name: points}, folder / "plots" / "time_scale.png")
        log.write(f"Drawn in {files_of(drawn)}")
    return 0
