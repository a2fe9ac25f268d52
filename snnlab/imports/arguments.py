"""The arguments of `snnlab import`: the file, how its equations are stepped, whether it is measured. No torch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from snnlab.config.arguments import Arguments, Bare
from snnlab.config.read_arguments import read_arguments
from snnlab.config.trust import override_key
from snnlab.errors import ConfigError
from snnlab.ranges import Positive

EXPERIMENT = "imported"
"""The folder of imported networks below `paths.runs`."""

OF_THE_GRAPH = ("model", "init", "experiment", "norm", "residual_neuron", "voters")
OWN = ("dt", "method", "fires", "synapse")


@dataclass(frozen=True, kw_only=True)
class ImportArguments(Arguments):
    """The parts of a command line; overrides are for the run's configuration."""

    verb: ClassVar[str] = "import"
    usage: ClassVar[str] = "snnlab import FILE.nir dataset=digits_dvs num_steps=6"

    file: Annotated[Path, Bare("NIR file")]
    """The NIR file, as nir.write makes it."""
    dt: Positive | None = None
    """Seconds of a time step; what the file says by default, else 0.0001."""
    method: Literal["euler", "exact"] = "euler"
    """How differential equations are stepped: forward Euler, or exactly for an input that is constant in a step."""
    fires: Literal["auto", "at", "above"] = "auto"
    """Neurons fire at the threshold and above it, or above it only; auto = what the file says, else above."""
    synapse: Literal["same_step", "next_step"] = "same_step"
    """Of CubaLIF and CubaLI: an input reaches the potential in its own step, or in the next one."""
    eval: bool = True
    """Measure the network on the test split; --no-eval is short for eval=false."""
    overrides: tuple[str, ...] = ()
    """All others, for the run's configuration."""

    def __post_init__(self) -> None:
        keys = [override_key(one) for one in self.overrides]
        for key, text in zip(keys, self.overrides, strict=True):
            if key.partition(".")[0] in OF_THE_GRAPH and not key.startswith("model."):
                raise ConfigError(f"{text}: the network is the graph's", "leave it out")
        if "dataset" not in keys:
            raise ConfigError("import: no dataset is given", self.usage)

    @property
    def settings(self) -> tuple[str, ...]:
        """What the user has set, as it would be typed."""
        given = [
            f"{key}={getattr(self, key)}" for key in OWN if getattr(self, key) != getattr(type(self), key)
        ]
        return (*given, *self.overrides)

    @property
    def composed(self) -> tuple[str, ...]:
        """Overrides that give the configuration of the run."""
        stepping = [
            f"model.{key}={getattr(self, key)}"
            for key in OWN
            if getattr(self, key) != getattr(type(self), key)
        ]
        file = str(Path(os.path.abspath(self.file))).replace("'", "\\'")
        return (
            *("model=nir", "loss=sdt", "logger=none", f"init.file='{file}'"),
            *stepping,
            *self.overrides,
        )


def read_import_arguments(given: Sequence[str]) -> ImportArguments:
    """Parses `FILE.nir dataset=digits_dvs num_steps=6 dt=0.001 fires=at`.

    Raises:
        ConfigError: the file or the data set is missing, or a value does not fit.
    """
    asked = read_arguments(ImportArguments, given)
    if asked.file.suffix != ".nir":
        raise ConfigError(
            f"import: {asked.file} is no .nir file",
            "weights of a network that is here are read by init.file=FILE; docs/howto.md lists them",
        )
    return asked
