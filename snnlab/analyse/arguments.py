"""The arguments of `snnlab analyse`: the run, the checkpoint, the analyses and their settings. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from snnlab.analyse.names import analyses
from snnlab.config.arguments import Choices
from snnlab.config.measurements import (
    AnalyseConfig,
    EnergyConfig,
    GradientSupportConfig,
    LandscapeConfig,
    MagnitudesConfig,
    MembraneConfig,
    TsneConfig,
)
from snnlab.config.read_arguments import read_arguments
from snnlab.errors import ConfigError
from snnlab.runs.run_arguments import RunArguments


def choices() -> tuple[str, ...]:
    """What `what=` takes."""
    return (*analyses(), "all")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the analyses, a section each."""

    analyse: AnalyseConfig = field(default_factory=AnalyseConfig)
    membrane: MembraneConfig = field(default_factory=MembraneConfig)
    gradient_support: GradientSupportConfig = field(default_factory=GradientSupportConfig)
    landscape: LandscapeConfig = field(default_factory=LandscapeConfig)
    magnitudes: MagnitudesConfig = field(default_factory=MagnitudesConfig)
    tsne: TsneConfig = field(default_factory=TsneConfig)
    energy: EnergyConfig = field(default_factory=EnergyConfig)


@dataclass(frozen=True, kw_only=True)
class AnalyseArguments(Settings, RunArguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "analyse"
    usage: ClassVar[str] = "snnlab analyse run=<run directory> what=firing_rates"

    takes: ClassVar[tuple[str, ...]] = (
        "surrogate",
        "loss",
        "plots.format",
        "trainer.batch_size",
        "trainer.eval_batch_size",
    )

    what: Annotated[tuple[str, ...], Choices(lambda _: choices())] = ()
    """Analyses to make: NAME, [NAME,NAME] or all."""

    def __post_init__(self) -> None:
        if not self.what:
            raise ConfigError(
                "analyse: nothing is asked for",
                f"what=<name> or what=[...]; choose among: {', '.join(choices())}",
            )

    @property
    def all(self) -> bool:
        """True if everything was asked for: then what does not fit the run is left out."""
        return "all" in self.what

    @property
    def names(self) -> tuple[str, ...]:
        """The analyses, in the order given."""
        return tuple(analyses()) if self.all else self.what


def read_analyse_arguments(given: Sequence[str]) -> AnalyseArguments:
    """Parses `run=DIR what=[firing_rates,energy] landscape.grid=21 checkpoint=best trainer.device=cpu`.

    Raises:
        ConfigError: the run or what to analyse is missing, or a value does not fit.
    """
    return read_arguments(AnalyseArguments, given)
