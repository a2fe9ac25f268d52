"""Composing and checking of configurations; knows nothing of torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snnlab.config.compose import Composed
    from snnlab.config.schema import RunConfig


def load(overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()) -> "RunConfig":
    """Composes and checks a run: `load(["+experiment=quickstart", "seed=1"])`.

    Raises:
        ConfigError: the config cannot be composed, or is wrong.
    """
    from snnlab.config.compose import compose

    return checked(compose(overrides, config_dirs))


def checked(composed: "Composed") -> "RunConfig":
    """Checks what `compose` returned; raises ConfigError if it is wrong."""
    from snnlab.config.check import check

    return check(
        composed.mapping,
        composed.origins,
        overrides=composed.overrides,
        written_for=composed.written_for,
    )
