"""`train -m`: expands a sweep, checks every point, lets Hydra run it, and ends with a table.

Hydra's own multirun does the work, so its other launchers (submitit, joblib) and sweepers remain usable.
"""

import itertools
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from snnlab.config.compose import (
    compose_with,
    config_errors,
    load_configuration,
    loader,
    refuse_callables,
    search_override,
)
from snnlab.config.origins import Origins
from snnlab.config.overrides import ReadOverride, read_overrides
from snnlab.config.problems import Problems
from snnlab.config.schema import RunConfig
from snnlab.config.search import MAIN, SearchPath
from snnlab.config.signature import read_dataclass
from snnlab.errors import PREEMPTED, ConfigError
from snnlab.runs.identity import run_dir
from snnlab.runs.load import checked, load
from snnlab.runs.results import read_result, select_metric
from snnlab.sweep.launcher import ProcessOptions, ProcessReturn
from snnlab.sweep.table import Point, SweepTable

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
PROCESS_LAUNCHER = "hydra_plugins.snnlab_process.ProcessLauncher"


def sweep(
    overrides: Sequence[str], config_dirs: Sequence[str | Path], train: Callable[[list[str]], int]
) -> int:
    """Runs all combinations of the swept values.

    Args:
        overrides: in Hydra's syntax, with sweeps.
        config_dirs: further folders shaped like conf/.
        train: runs a command line such as ["train", "seed=0"] in this process, for Hydra's other launchers.

    Returns:
        The exit code: 0 if all are done, 75 if the sweep was interrupted, else 1.

    Raises:
        ConfigError: a point is wrong; nothing has been started then.
    """
    search = SearchPath.of(config_dirs)
    with loader(search) as hydra_loader:
        read, lines, master = _read(overrides, hydra_loader, search)
        points = _points(read, hydra_loader, search) if _can_be_listed(read, master) else []
        if points:
            done = sum(read_result(point.run_dir) is not None for point in points)
            _say(f"sweep: {len(points)} runs checked, {done} done before")
        else:
            _say("sweep: its points are not known beforehand; each is checked when its job starts")
        returns: Any = []
        interrupted = False
        try:
            with config_errors(search):
                hydra = GlobalHydra.instance().hydra
                assert hydra is not None
                job = Job(train, {point.jobs_overrides: point.cfg for point in points})
                returns = hydra.multirun(MAIN, job, lines, with_log_configuration=False)
        except KeyboardInterrupt:
            interrupted = True
    processes = [one for one in _flat(returns) if isinstance(one, ProcessReturn)]
    interrupted |= any(one.exit_code == PREEMPTED for one in processes)
    if not points:
        return PREEMPTED if interrupted else int(any(one.exit_code for one in processes))
    ended = {one.run_dir: one for one in processes}
    table = SweepTable([point.ended(ended.get(point.run_dir)) for point in points], overrides)
    _say(table.text())
    _say(f"written to {table.write()}")
    return PREEMPTED if interrupted else table.exit_code


@dataclass(frozen=True)
class Job:
    """What Hydra runs for each point; our own launcher starts a process instead, and only asks for the config.

    Args:
        train: runs a command line in this process.
        configs: the configs that were checked beforehand, by their set of overrides.
    """

    train: Callable[[list[str]], int]
    configs: Mapping[frozenset[str], RunConfig]

    def config(self, overrides: Sequence[str], config_dirs: Sequence[str]) -> RunConfig:
        """A point's config; a sweeper that makes points as it goes has it checked now."""
        return self.configs.get(frozenset(overrides)) or load(overrides, config_dirs)

    def __call__(self, cfg: DictConfig) -> float:
        """Trains in this process, for launchers that run Python functions (basic, joblib, submitit).

        Returns:
            The metric that `trainer.select` names, for sweepers that optimise it; NaN if the run failed.
        """
        overrides = list(HydraConfig.get().overrides.task)
        config_dirs = [path.removeprefix("file://") for path in HydraConfig.get().searchpath]
        try:
            code = self.train(["train", *overrides, *(f"--config-dir={folder}" for folder in config_dirs)])
        except Exception:
            traceback.print_exc()
            code = 1
        if code == PREEMPTED:
            raise KeyboardInterrupt
        if code != 0:
            return float("nan")
        point = self.config(overrides, config_dirs)
        return select_metric(read_result(run_dir(point)), point.trainer.select)


def _read(
    overrides: Sequence[str], hydra_loader: ConfigLoader, search: SearchPath
) -> tuple[list[ReadOverride], list[str], DictConfig]:
    read = read_overrides(overrides, search)
    lines = [*search_override(search), *(one.hydra for one in read)]
    with config_errors(search):
        master = load_configuration(hydra_loader, lines, RunMode.MULTIRUN)
        refuse_callables(master)
        params = OmegaConf.to_container(master.hydra.sweeper.get("params") or OmegaConf.create({}))
    if isinstance(params, Mapping) and params and master.hydra.sweeper["_target_"] == BASIC_SWEEPER:
        swept = [f"{key!s}={value!s}" for key, value in params.items()]
        return _read([*swept, *overrides, "hydra.sweeper.params=null"], hydra_loader, search)
    if master.hydra.launcher["_target_"] == PROCESS_LAUNCHER:
        _check_options(master.hydra.launcher)
    return read, lines, master


def _check_options(launcher: DictConfig) -> None:
    from snnlab.sweep import launcher as module

    options = OmegaConf.to_container(launcher)
    assert isinstance(options, dict)
    problems = Problems(Origins(), {})
    keys = read_dataclass(Path(module.__file__), "ProcessOptions").keys
    found = {
        name: problems.value(f"hydra.launcher.{name}", key, options.get(name, key.default))
        for name, key in keys.items()
    }
    for name in options:
        if name not in keys and name != "_target_":
            problems.unknown_key(f"hydra.launcher.{name!s}", "the launcher 'process'", keys)
    if problems.found:
        raise ConfigError.first_of(problems.found)
    ProcessOptions(**found)


def _can_be_listed(read: Sequence[ReadOverride], master: DictConfig) -> bool:
    if master.hydra.sweeper["_target_"] != BASIC_SWEEPER:
        return False
    for one in read:
        if one.is_sweep and not one.values:
            raise ConfigError(
                f"{one.text}: an interval has no list of values",
                "use range() or a list, or another hydra/sweeper",
            )
    return True


def _points(read: Sequence[ReadOverride], hydra_loader: ConfigLoader, search: SearchPath) -> list[Point]:
    """Composes and checks every combination, in the order in which Hydra runs them."""
    swept = [one for one in read if one.is_sweep]
    points: list[Point] = []
    combinations = list(itertools.product(*(one.values for one in swept)))
    for values in combinations:
        chosen = {one.key: value for one, value in zip(swept, values, strict=True)}
        single = [_single(one, chosen[one.key]) if one.is_sweep else one for one in read]
        place = f"point {len(points) + 1} of {len(combinations)}: {_label(chosen)}"
        try:
            cfg = checked(compose_with(hydra_loader, single, search))
        except ConfigError as error:
            raise ConfigError(error.message, f"{error.hint} ({place})" if chosen else error.hint) from None
        point = Point(chosen, cfg, frozenset(one.hydra for one in single))
        for other in points:
            if other.run_dir == point.run_dir:
                raise ConfigError(
                    f"two points are the same run: {_label(other.chosen)} and {_label(chosen)}",
                    "leave one of them out, or sweep over a key that changes the result",
                )
        points.append(point)
    return points


def _single(one: ReadOverride, value: str) -> ReadOverride:
    plus = one.hydra[: len(one.hydra) - len(one.hydra.lstrip("+"))]
    text = f"{one.key}={value}"
    return replace(one, hydra=f"{plus}{text}", text=text, values=(), is_sweep=False)


def _label(chosen: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in chosen.items())


def _flat(returns: Any) -> list[Any]:
    return (
        [one for batch in returns for one in _flat(batch)] if isinstance(returns, list | tuple) else [returns]
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
