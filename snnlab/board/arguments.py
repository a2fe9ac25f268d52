"""The arguments of `snnlab board`: losses, neurons, seeds, what they are measured under, and overrides. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from snnlab.board.pairs import all_losses, all_neurons
from snnlab.config.arguments import Arguments, Choices
from snnlab.config.read_arguments import read_arguments
from snnlab.config.trust import plugins_named
from snnlab.errors import ConfigError
from snnlab.ranges import Fraction, NonNegativeInt, PositiveInt


@dataclass(frozen=True, kw_only=True)
class BoardArguments(Arguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "board"

    losses: Annotated[tuple[str, ...], Choices(all_losses)] = ()
    """Names such as [sdt,tmc]; by default all."""
    neurons: Annotated[tuple[str, ...], Choices(all_neurons)] = ()
    """Names such as [lif,plif]; by default all that a spiking network is trained with."""
    seeds: tuple[NonNegativeInt, ...] = (0, 1, 2)
    """Of every pair."""
    batches: PositiveInt = 20
    """Held-out samples under each condition, in batches of training: 20 are 1,000 images."""
    levels: tuple[Fraction, ...] = (0.05, 0.1, 0.2)
    """Of the three noises; see noise.level of snnlab eval."""
    severities: tuple[PositiveInt, ...] = (1, 3, 5)
    """Of the corruptions, 1 to 5."""
    overrides: tuple[str, ...] = ()
    """Of every run, such as trainer.threads=1, or Hydra's own."""

    def __post_init__(self) -> None:
        if max(self.severities, default=0) not in range(1, 6):
            raise ConfigError("severities: of 1 to 5", "for example severities=[1,3,5]")
        if not self.seeds:
            raise ConfigError("seeds: none is given", "for example seeds=[0,1,2]")

    @property
    def plugins(self) -> tuple[str, ...]:
        """Packages of one's own that the overrides name."""
        return tuple(sorted(plugins_named(self.overrides)))

    @property
    def hydra(self) -> tuple[str, ...]:
        """Overrides of Hydra's own."""
        return tuple(one for one in self.overrides if one.lstrip("+").startswith("hydra"))

    @property
    def of_runs(self) -> tuple[str, ...]:
        """Overrides of every run."""
        return tuple(one for one in self.overrides if one not in self.hydra)


def read_board_arguments(given: Sequence[str]) -> BoardArguments:
    """Parses `losses=[sdt,tmc] neurons=[lif] seeds=[0] trainer.threads=1`.

    Raises:
        ConfigError: a value does not fit.
    """
    return read_arguments(BoardArguments, given)
