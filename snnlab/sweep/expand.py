"""Expands a sweep: from overrides with several values to its points, each composed, checked and tried."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from snnlab.config.compose import (
    compose_with,
    config_errors,
    load_configuration,
    search_override,
)
from snnlab.config.overrides import ReadOverride, read_overrides
from snnlab.config.schema import RunConfig
from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError, SnnlabError
from snnlab.runs.data_check import other_data, refuse_difference, samples_of, with_data
from snnlab.runs.load import checked
from snnlab.runs.results import read_result
from snnlab.sweep.options import check_options
from snnlab.sweep.point import Point

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def read_sweep(
    overrides: Sequence[str], hydra_loader: ConfigLoader, search: SearchPath
) -> tuple[list[ReadOverride], list[str], DictConfig]:
    """The overrides of a sweep, the lines that Hydra is given, and Hydra's config of the sweep.

    What the sweeper's own configuration sweeps over (`hydra.sweeper.params`) is among the overrides.

    Raises:
        ConfigError: an override or an option of the launcher is wrong.
    """
    read = read_overrides(overrides, search)
    lines = [*search_override(search), *(one.hydra for one in read)]
    with config_errors(search):
        master = load_configuration(hydra_loader, lines, RunMode.MULTIRUN, search)
        params = OmegaConf.to_container(master.hydra.sweeper.get("params") or OmegaConf.create({}))
    if isinstance(params, Mapping) and params and master.hydra.sweeper["_target_"] == BASIC_SWEEPER:
        swept = [f"{key!s}={value!s}" for key, value in params.items()]
        return read_sweep([*swept, *overrides, "hydra.sweeper.params=null"], hydra_loader, search)
    check_options(master.hydra.launcher)
    return read, lines, master


def can_be_listed(read: Sequence[ReadOverride], master: DictConfig) -> bool:
    """False for a sweeper that makes its points as it goes.

    Raises:
        ConfigError: the sweeper wants lists of values, and there is none for a key.
    """
    if master.hydra.sweeper["_target_"] != BASIC_SWEEPER:
        return False
    for one in read:
        if one.is_sweep and not one.values:
            raise ConfigError(
                f"{one.text}: an interval has no list of values",
                "use range() or a list, or another hydra/sweeper",
            )
    return True


def points_of(read: Sequence[ReadOverride], hydra_loader: ConfigLoader, search: SearchPath) -> list[Point]:
    """Composes and checks every combination, in the order in which Hydra runs them.

    A made-up batch runs through each network that is not trained yet, and a few samples of its data are read; points
    that differ in their seed have one.

    Raises:
        SnnlabError: one is wrong, cannot be built or run, lacks its data, or is the same run as another.
    """
    swept = [one for one in read if one.is_sweep]
    points: list[Point] = []
    untried: dict[Path, tuple[str, RunConfig]] = {}
    combinations = list(itertools.product(*(one.values for one in swept)))
    for values in combinations:
        chosen = {one.key: value for one, value in zip(swept, values, strict=True)}
        single = [_single(one, chosen[one.key]) if one.is_sweep else one for one in read]
        place = f"point {len(points) + 1} of {len(combinations)}: {_label(chosen)}"
        with _placed(place if chosen else ""):
            cfg = with_data(checked(compose_with(hydra_loader, single, search)), prepare=True)
        # Hydra's sweeper keeps Hydra's own settings to itself.
        task = frozenset(one.hydra for one in single if not one.is_hydras)
        point = Point(chosen, cfg, task)
        stored = read_result(point.run_dir)
        if stored is not None and cfg.trainer.on_existing == "resume":
            refuse_difference(other_data(cfg, stored.get("data")), point.run_dir)
        else:
            untried.setdefault(point.run_dir.parent, (place if chosen else "", cfg))
        for other in points:
            if other.run_dir == point.run_dir:
                raise ConfigError(
                    f"two points are the same run: {_label(other.chosen)} and {_label(chosen)}",
                    "leave one of them out, or sweep over a key that changes the result",
                )
        points.append(point)
    read_as: set[str] = set()
    for place, cfg in untried.values():
        from snnlab.train.rehearsal import refuse_point  # where it is needed: it imports torch

        with _placed(place):
            refuse_point(cfg, read=samples_of(cfg) not in read_as)
        read_as.add(samples_of(cfg))
    return points


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Adds to the hints of errors which point they are about; the error keeps its kind."""
    try:
        yield
    except SnnlabError as error:
        if not place:
            raise
        raise type(error)(error.message, f"{error.hint} ({place})".lstrip()) from None


def _single(one: ReadOverride, value: str) -> ReadOverride:
    plus = one.hydra[: len(one.hydra) - len(one.hydra.lstrip("+"))]
    text = f"{one.key}={value}"
    return replace(one, hydra=f"{plus}{text}", text=text, values=(), is_sweep=False)


def _label(chosen: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in chosen.items())
