"""The arguments of `snnlab convert`: the run, the checkpoint, whether normalisation is folded. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from snnlab.config.quoting import quoted
from snnlab.config.read_arguments import read_arguments
from snnlab.runs.run_arguments import OF_A_PASS, RunArguments


@dataclass(frozen=True, kw_only=True)
class ConvertArguments(RunArguments):
    """The parts of a command line; `run` is the quantised ANN, and the overrides are for the converted run."""

    verb: ClassVar[str] = "convert"
    usage: ClassVar[str] = (
        "snnlab convert run=<run directory of an ANN with neuron=quant_relu>, as snnlab train printed it"
    )

    takes: ClassVar[tuple[str, ...]] = (*OF_A_PASS, "loss", "plots.format")

    fold: bool = True
    """Normalisation goes into the weights."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Overrides of the ANN's configuration that give the converted run's.

        The converted run lies beside the ANN's unless `paths.runs` says where.
        """
        elsewhere = any(one.startswith("paths.runs=") for one in self.overrides)
        return (
            "neuron=mixed_if",
            "residual_neuron=null",
            *(["norm=shift"] if self.fold else []),
            "regulariser=none",
            f"init.run={quoted(self.run)}",
            f"init.checkpoint={self.checkpoint}",
            "init.identity=''",
            *([] if elsewhere else [f"paths.runs={quoted(self.run.parents[2])}"]),
            *self.overrides,
        )


def read_convert_arguments(given: Sequence[str]) -> ConvertArguments:
    """Parses `run=DIR checkpoint=best fold=false neuron.equal=average`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    return read_arguments(ConvertArguments, given)
