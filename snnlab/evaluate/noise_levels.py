"""`snnlab eval noise=gaussian noise.level=[0.1,0.2]`: the same weights on noisy held-out samples, level by level."""

from dataclasses import asdict, replace
from pathlib import Path

from rich.table import Table

from snnlab.atomic import write_json
from snnlab.config.measurements import NoiseConfig
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.evaluate.noise import NoisyInput
from snnlab.evaluate.passes import opened
from snnlab.metric_names import ACC, NLL, OF_CALIBRATION
from snnlab.plots.figure import files_of
from snnlab.plots.noise import plot_noise
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog

COLUMNS = (ACC, *OF_CALIBRATION, NLL)


def run(cfg: RunConfig, folder: Path, noise: NoiseConfig, which: str = "last", weights: str = "model") -> int:
    """Measures the time-mean logits of a run's network under noise of several levels.

    Args:
        cfg: the run's configuration with overrides.
        folder: the run directory, where table and plot go.
        noise: kind, levels, seed.
        which: `last` or `best`.
        weights: `model` or `average`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or the data is text.
    """
    stored, passes = opened(cfg, folder, which, weights)
    if stored.dataset.reads_words:
        raise SnnlabError(
            f"noise: {cfg.dataset.name} is text, and there is no noise for words",
            "take a run on images or events",
        )
    rows: list[dict[str, float]] = []
    log = RunLog(None)
    for level in noise.level:
        pipeline = NoisyInput(stored.pipeline, noise.kind, level, noise.seed)
        metrics = passes.evaluate(replace(stored, pipeline=pipeline)).metrics
        rows.append({"level": level, **{one.key: metrics[one.key] for one in COLUMNS}})
    log.write(_table(rows, f"{noise.kind} noise, {stored.title}, {cfg.num_steps} steps"))
    passes.say(log)
    # Other levels are another measurement, which keeps its own file.
    digest = config_hash(cfg.raw, also={"noise": asdict(noise)})
    name = f"noise-{noise.kind}-{stored.label}-t{cfg.num_steps}-{digest}"
    picture = plot_noise(rows, folder / "plots" / f"{name}.png", kind=noise.kind, title=cfg.experiment)
    path = folder / f"{name}.json"
    write_json(
        path,
        {
            "num_steps": cfg.num_steps,
            "noise": noise.kind,
            "noise_seed": noise.seed,
            **stored.description(),
            **passes.description(),
            "rows": rows,
        },
    )
    log.write(f"Written to {path}\nand {files_of(picture)}")
    return 0


def _table(rows: list[dict[str, float]], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in ("level", *(one.heading for one in COLUMNS)):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(f"{row['level']:g}", *(one.number(row[one.key]) for one in COLUMNS))
    return table
