"""The number that a sweeper optimises: what `trainer.select` measures of a run."""

import math

from omegaconf import DictConfig, OmegaConf

from snnlab.config.schema import RunConfig
from snnlab.config.trainer_config import TrainerConfig
from snnlab.metric_names import metric_of
from snnlab.runs.identity import run_dir
from snnlab.runs.results import read_result, select_metric


def higher_is_better(select: str) -> bool:
    """Whether a higher value of the metric that `trainer.select` names is an improvement."""
    metric = metric_of(select)
    assert metric is not None
    return metric.higher_is_better


def goal(master: DictConfig) -> str:
    """`trainer.select` in Hydra's config of a sweep, unchecked; its default where the key was taken out."""
    found = OmegaConf.select(master, "trainer.select")
    return TrainerConfig.select if found is None else str(found)


def worst(select: str) -> float:
    """The value of a run that failed, since Optuna stops at a value that is no number."""
    return -math.inf if higher_is_better(select) else math.inf


def objective(cfg: RunConfig, exit_code: int) -> float:
    """The value of a run; of one that failed the worst there is."""
    select = cfg.trainer.select
    value = select_metric(read_result(run_dir(cfg)) if exit_code == 0 else None, select)
    return worst(select) if math.isnan(value) else value
