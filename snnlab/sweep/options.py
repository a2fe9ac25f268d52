"""How many jobs of a sweep run at a time, and on what: the options of the launchers `process` and `ray`."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from omegaconf import DictConfig, OmegaConf

from snnlab.config.origins import Origins
from snnlab.config.problems import Problems
from snnlab.config.signature import read_dataclass
from snnlab.errors import ConfigError
from snnlab.packages import need
from snnlab.ranges import NonNegative, NonNegativeInt, PositiveInt
from snnlab.sweep.ray_cluster import refuse_unreachable


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


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """What conf/hydra/launcher/ray.yaml sets."""

    address: str | None = None
    """Of a cluster that runs; null = that of RAY_ADDRESS, else one of this machine."""
    cpus: PositiveInt | None = None
    """CPUs that a job takes; null = 1 beside a GPU, else as many as it has threads."""
    gpus: NonNegative | None = None
    """GPUs that a job takes, whole ones or a part of one; null = 1 if the cluster has any."""
    workers: PositiveInt | None = None
    """Jobs at a time; null = as many as fit."""
    on_error: Literal["continue", "stop"] = "continue"
    """Whether other points start after one has failed."""

    show_output = False

    def __post_init__(self) -> None:
        if self.gpus is not None and self.gpus > 1 and self.gpus != int(self.gpus):
            raise ConfigError(
                f"hydra.launcher.gpus: {self.gpus:g} GPUs for a job",
                "a whole number, or a part of one GPU, such as 0.5",
            )


OPTIONS = MappingProxyType(
    {
        "hydra_plugins.snnlab_process.ProcessLauncher": ("process", ProcessOptions),
        "hydra_plugins.snnlab_ray.RayLauncher": ("ray", RayOptions),
    }
)
"""The launchers of ours, by the class that Hydra starts: their name and their options."""


def check_options(launcher: DictConfig) -> ProcessOptions | RayOptions | None:
    """The options in Hydra's config of a launcher; None if it is not ours, and checks them itself.

    Raises:
        ConfigError: an option is unknown, a value does not fit, or a GPU is not there.
        MissingPackageError: Ray is not installed.
    """
    options = OmegaConf.to_container(launcher)
    assert isinstance(options, dict)
    if options.get("_target_") not in OPTIONS:
        return None
    launcher_name, kind = OPTIONS[options.pop("_target_")]
    problems = Problems(Origins(), {})
    keys = read_dataclass(Path(__file__), kind.__name__).keys
    found = {
        name: problems.value(f"hydra.launcher.{name}", key, options.get(name, key.default))
        for name, key in keys.items()
    }
    for name in options:
        if name not in keys:
            problems.unknown_key(f"hydra.launcher.{name!s}", f"the launcher '{launcher_name}'", keys)
    if problems.found:
        raise ConfigError.first_of(problems.found)
    checked: ProcessOptions | RayOptions = kind(**found)
    if isinstance(checked, RayOptions):
        need("ray", "hydra/launcher=ray")
        refuse_unreachable(checked.address)
    elif checked.gpus is not None:
        from snnlab.machine.gpus import absent  # where it is needed: it imports torch

        if problem := absent(checked.gpus):
            raise ConfigError(
                f"hydra.launcher.gpus: {checked.gpus}, but {problem}",
                "leave it out where there is no GPU, hydra.launcher.workers=N runs N points at a time; "
                "snnlab doctor shows what is there",
            )
    return checked
