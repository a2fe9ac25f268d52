"""Sweepers that make their points as they go, such as Optuna: what they are told, and what came of their trials."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from omegaconf import DictConfig

from snnlab.config.overrides import ReadOverride
from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.runs.results import headline, read_result
from snnlab.sweep.objective import higher_is_better, objective
from snnlab.sweep.point import Point


def settings_of_search(master: DictConfig, read: Sequence[ReadOverride]) -> list[str]:
    """Overrides for a sweeper that optimises, where the command line does not give them.

    The direction follows from `trainer.select`. The sampler's seed is fixed, so that the same command makes the same
    trials: those that are done are not repeated, and an interrupted search goes on.
    """
    sweeper, given = master.hydra.sweeper, {one.key for one in read}
    found = []
    if "direction" in sweeper and "hydra.sweeper.direction" not in given:
        direction = "maximize" if higher_is_better(str(master.trainer.select)) else "minimize"
        found.append(f"hydra.sweeper.direction={direction}")
    sampler = sweeper.get("sampler")
    if sampler is not None and "seed" in sampler and sampler.seed is None:
        found.append("hydra.sweeper.sampler.seed=0")
    return found


def refuse_storage(master: DictConfig) -> None:
    """Refuses a database of Optuna's where the installed SQLAlchemy is one that Optuna 2 cannot write with.

    Raises:
        ConfigError: `hydra.sweeper.storage` names one, and SQLAlchemy is 2 or newer.
    """
    storage = str(master.hydra.sweeper.get("storage") or "redis")
    installed = version("sqlalchemy") if _is_optuna(master) else "1"
    if storage.startswith("redis") or int(installed.partition(".")[0]) < 2:
        return
    raise ConfigError(
        f"hydra.sweeper.storage: Optuna 2 cannot write its database with SQLAlchemy {installed}",
        "leave it out: the same command goes on with its search, from the runs; or pip install 'sqlalchemy<2'",
    )


def _is_optuna(master: DictConfig) -> bool:
    return "optuna" in str(master.hydra.sweeper.get("_target_"))


def keep_quiet(master: DictConfig) -> None:
    """Leaves out Optuna's own lines, such as one about a study in memory: the runs are what a search is kept in."""
    if _is_optuna(master):
        import optuna

        optuna.logging.set_verbosity(logging.WARNING)


def trials(tried: Mapping[frozenset[str], RunConfig], read: Sequence[ReadOverride]) -> list[Point]:
    """The points that a sweeper has made, each with the values that it chose."""
    return [Point(chosen(overrides, read), cfg, overrides) for overrides, cfg in tried.items()]


def chosen(overrides: frozenset[str], read: Sequence[ReadOverride]) -> dict[str, str]:
    """The keys and values of a trial that the command line does not fix."""
    fixed = {one.hydra for one in read if not one.is_sweep}
    return dict(sorted(one.lstrip("+").split("=", 1) for one in overrides - fixed))


def best_trial(points: Sequence[Point]) -> str:
    """The best finished trial by `trainer.select`, its values and its directory, in words; empty if none is done."""
    done = [(objective(point.cfg, 0), point) for point in points if point.status == "done"]
    if not done:
        return ""
    choose = max if higher_is_better(done[0][1].cfg.trainer.select) else min
    _, best = choose(done, key=lambda one: one[0])
    return f"best by {best.cfg.trainer.select}: {best.label}; {headline(read_result(best.run_dir))}\n  {best.run_dir}"
