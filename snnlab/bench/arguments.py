"""The arguments of `snnlab bench`: neurons by name, and the device. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Literal

from snnlab.config.arguments import Arguments, Bare, Choices
from snnlab.config.read_arguments import read_arguments
from snnlab.registry import component_files


@dataclass(frozen=True, kw_only=True)
class BenchArguments(Arguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "bench"

    neurons: Annotated[tuple[str, ...], Bare("neuron"), Choices(partial(component_files, "neuron"))] = ()
    """To measure, also without neurons=; lif, plif, cf and dsatgo by default, all with --full."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where to measure."""
    plugins: tuple[str, ...] = ()
    """Packages of your own that neurons may be of, such as [my_lab]."""


def read_bench_arguments(given: Sequence[str]) -> BenchArguments:
    """Parses `cf dsatgo device=cuda`.

    Raises:
        ConfigError: no such neuron, or a value does not fit.
    """
    return read_arguments(BenchArguments, given)
