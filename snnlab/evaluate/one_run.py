"""`snnlab eval`: the weights of a finished or running run, measured again, perhaps with other settings."""

from pathlib import Path

from snnlab.atomic import write_json
from snnlab.config.schema import RunConfig
from snnlab.evaluate.passes import opened
from snnlab.runs.identity import config_hash
from snnlab.runs.log import RunLog
from snnlab.runs.result_table import result_table


def run(cfg: RunConfig, folder: Path, which: str = "last", weights: str = "model") -> int:
    """Evaluates a run's checkpoint on the test split under a configuration that may differ from the run's.

    Args:
        cfg: the run's configuration with overrides, such as another `num_steps`.
        folder: the run directory.
        which: `last` or `best`.
        weights: `model` or `average`.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or CUDA graphs are
            required and cannot be had.
    """
    stored, passes = opened(cfg, folder, which, weights)
    metrics = passes.evaluate(stored).prefixed("test")
    log = RunLog(None)
    log.write(result_table(metrics, title=f"{stored.title}, on {stored.dataset.split_name}"))
    passes.say(log)
    path = folder / f"eval-{stored.label}-t{cfg.num_steps}-{config_hash(cfg.raw)}.json"
    write_json(
        path, {"num_steps": cfg.num_steps, **stored.description(), **passes.description(), "metrics": metrics}
    )
    log.write(f"Written to {path}")
    return 0
