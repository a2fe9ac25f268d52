"""Composes and checks a run's configuration, with the identity of initial weights and of the teacher's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.config.check import check
from snnlab.config.compose import Composed, compose
from snnlab.config.schema import RunConfig
from snnlab.runs.weights import identified_init, identified_teacher

IDENTIFIED: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"init": identified_init, "distill": identified_teacher}
)


def load(overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()) -> RunConfig:
    """Composes and checks a run: `load(["+experiment=quickstart", "seed=1"])`.

    Raises:
        ConfigError: the config cannot be composed, or is wrong.
    """
    return checked(compose(overrides, config_dirs))


def load_named(
    experiment: str, overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()
) -> RunConfig:
    """Composes and checks a run of an experiment that has no file, such as `imported`.

    Raises:
        ConfigError: the config cannot be composed, or is wrong.
    """
    composed = compose(overrides, config_dirs)
    return checked(replace(composed, mapping={**composed.mapping, "experiment": experiment}))


def checked(composed: Composed) -> RunConfig:
    """Checks what `compose` returned; raises ConfigError if it is wrong."""
    return check(
        composed.mapping,
        composed.origins,
        overrides=composed.overrides,
        written_for=composed.written_for,
        makers=IDENTIFIED,
    )
