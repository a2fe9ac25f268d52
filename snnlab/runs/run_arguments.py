"""The arguments that commands on a stored run share: `run=DIR checkpoint=best`, and overrides. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from snnlab.config.arguments import Arguments, Bare, ReadBy
from snnlab.runs.config_file import find_run


def stored_run(text: str) -> Path:
    """The run directory that an argument names.

    Raises:
        ConfigError: the folder holds several runs.
    """
    return find_run(Path(text).expanduser().resolve())


@dataclass(frozen=True, kw_only=True)
class RunArguments(Arguments):
    """Base of the arguments of commands on a stored run."""

    run: Annotated[Path, Bare("run directory"), ReadBy(stored_run)]
    """The run directory; a folder that holds one run only stands for it."""
    checkpoint: Literal["last", "best"] = "last"
    """Which weights: after the last epoch, or after the best."""
    overrides: tuple[str, ...] = ()
    """All others, for the run's configuration."""
