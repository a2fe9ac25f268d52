"""How many processes of a sweep run at a time, and on which GPUs: the options of the launcher `process`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from omegaconf import DictConfig, OmegaConf

from snnlab.config.origins import Origins
from snnlab.config.problems import Problems
from snnlab.config.signature import read_dataclass
from snnlab.errors import ConfigError
from snnlab.ranges import NonNegativeInt, PositiveInt


@dataclass(frozen=True, kw_only=True)
class ProcessOptions:
    """What conf/hydra/launcher/process.yaml sets."""

    workers: PositiveInt | None = None
    """Processes at a time; null = one for each of `gpus`, else 1."""
    gpus: list[NonNegativeInt] | None = None
    """GPUs to hand out, one to each process; name one twice to share it."""
    on_error: Literal["continue", "stop"] = "continue"
    """Whether other points start after one has failed."""
    show_output: bool = False
    """Show what the processes print, instead of writing it into a file each."""

    def __post_init__(self) -> None:
        if self.gpus is not None and (not self.gpus or (self.workers or 1) > len(self.gpus)):
            raise ConfigError(
                f"hydra.launcher.gpus: {self.gpus} is too short for {self.workers or 1} worker(s)",
                "name a GPU for each worker; one named twice is shared: hydra.launcher.gpus=[0,0]",
            )

    @property
    def slots(self) -> list[int | None]:
        """The GPU of each process that may run at the same time; None leaves the environment as it is."""
        if self.gpus is None:
            return [None] * (self.workers or 1)
        return list(self.gpus[: self.workers or len(self.gpus)])


def check_options(launcher: DictConfig) -> ProcessOptions:
    """The options in Hydra's config of the launcher.

    Raises:
        ConfigError: an option is unknown, a value does not fit, or a GPU is not there.
    """
    options = OmegaConf.to_container(launcher)
    assert isinstance(options, dict)
    problems = Problems(Origins(), {})
    keys = read_dataclass(Path(__file__), "ProcessOptions").keys
    found = {
        name: problems.value(f"hydra.launcher.{name}", key, options.get(name, key.default))
        for name, key in keys.items()
    }
    for name in options:
        if name not in keys and name != "_target_":
            problems.unknown_key(f"hydra.launcher.{name!s}", "the launcher 'process'", keys)
    if problems.found:
        raise ConfigError.first_of(problems.found)
    checked = ProcessOptions(**found)
    if checked.gpus is not None:
        from snnlab.machine.gpus import absent  # where it is needed: it imports torch

        if problem := absent(checked.gpus):
            raise ConfigError(
                f"hydra.launcher.gpus: {checked.gpus}, but {problem}",
                "leave it out where there is no GPU, hydra.launcher.workers=N runs N points at a time; "
                "snnlab doctor shows what is there",
            )
    return checked
