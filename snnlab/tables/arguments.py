"""The arguments of `snnlab table`: the table, its scale and seeds, and overrides of its cells. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from snnlab.config.arguments import Arguments, Bare
from snnlab.config.read_arguments import read_arguments
from snnlab.tables.table_file import Scale, Selection


@dataclass(frozen=True, kw_only=True)
class TableArguments(Arguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "table"
    also: ClassVar[Mapping[str, str]] = MappingProxyType({"seed": "seeds"})

    names: Annotated[tuple[str, ...], Bare("name")] = ()
    """Tables or figures, also without names=; snnlab list table names them all."""
    scale: Scale = "full"
    """The paper's recipe, few images learned by heart, fewer epochs, or two training steps on embedded data."""
    seeds: tuple[int, ...] = ()
    """Instead of the table's, such as 0,1."""
    select: Selection | None = None
    """The epoch that is reported, instead of the table's."""
    overrides: tuple[str, ...] = ()
    """Of every cell, or Hydra's own."""

    @property
    def hydra(self) -> tuple[str, ...]:
        """Overrides of Hydra's own, such as `hydra.launcher.gpus=[0,1]`."""
        return tuple(one for one in self.overrides if one.lstrip("+").startswith("hydra"))

    @property
    def of_cells(self) -> tuple[str, ...]:
        """Overrides of every cell."""
        return tuple(one for one in self.overrides if one not in self.hydra)


def read_table_arguments(given: Sequence[str]) -> TableArguments:
    """Parses `tmc_1 scale=short seeds=0,1 trainer.device=cpu`.

    Raises:
        ConfigError: a value does not fit.
    """
    return read_arguments(TableArguments, given)
