"""Sweepers that make their points as they go, such as Optuna: what they are told, and what came of their trials."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from omegaconf import DictConfig, OmegaConf

from snnlab.config.check import unknown_key
from snnlab.config.overrides import ReadOverride
from snnlab.config.schema import RunConfig
from snnlab.config.trainer_config import check_select
from snnlab.errors import ConfigError
from snnlab.runs.results import headline, read_result
from snnlab.sweep.objective import goal, higher_is_better, objective
from snnlab.sweep.point import Point


def refuse_search(master: DictConfig, read: Sequence[ReadOverride]) -> None:
    """Refuses a search of which no trial could be right, before its first one.

    Raises:
        ConfigError: there is nothing to choose, a key to choose is unknown whatever is chosen, or `trainer.select`
            and the direction are not one goal.
    """
    swept = [one for one in read if one.is_sweep]
    spaces = ("params", "search_space", "custom_search_space")
    if _is_optuna(master) and not swept and not any(master.hydra.sweeper.get(one) for one in spaces):
        raise ConfigError(
            "hydra/sweeper=optuna: no key has values to choose from",
            "for example 'optimizer.lr=tag(log,interval(1e-4,1e-1))' or 'loss=choice(sdt,tet)'",
        )
    plain = OmegaConf.to_container(master)
    assert isinstance(plain, dict)
    mapping = {str(key): value for key, value in plain.items()}
    chosen = {one.key for one in swept if one.is_group}
    for one in swept:
        # What else there is depends on the component that a trial chooses.
        free = "experiment" in chosen or one.key.partition(".")[0] in chosen
        if not (one.is_group or free) and (error := unknown_key(mapping, one.key)):
            raise error
    _refuse_goal(master, read)


def _refuse_goal(master: DictConfig, read: Sequence[ReadOverride]) -> None:
    if any(one.is_sweep and one.key == "trainer.select" for one in read):
        raise ConfigError("trainer.select: it is what a search optimises, so it has one value", "choose one")
    select = goal(master)
    check_select(select)
    given = any(one.key == "hydra.sweeper.direction" for one in read)
    direction, wrong = master.hydra.sweeper.get("direction"), _direction(not higher_is_better(select))
    if given and direction == wrong:
        raise ConfigError(
            f"hydra.sweeper.direction={direction}: trainer.select={select} is better the other way",
            f"leave it out: {_direction(higher_is_better(select))} follows from trainer.select",
        )


def settings_of_search(master: DictConfig, read: Sequence[ReadOverride]) -> list[str]:
    """Overrides for a sweeper that optimises, where the command line does not give them.

    The direction follows from `trainer.select`. The sampler's seed is fixed, so that the same command makes the same
    trials: those that are done are not repeated, and an interrupted search goes on.
    """
    sweeper, given = master.hydra.sweeper, {one.key for one in read}
    found = []
    if "direction" in sweeper and "hydra.sweeper.direction" not in given:
        found.append(f"hydra.sweeper.direction={_direction(higher_is_better(goal(master)))}")
    sampler = sweeper.get("sampler")
    if sampler is not None and "seed" in sampler and sampler.seed is None:
        found.append("hydra.sweeper.sampler.seed=0")
    return found


def _direction(upwards: bool) -> str:
    return "maximize" if upwards else "minimize"


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
