"""The arguments of `snnlab export`: the run, the checkpoint, the format, the file. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from snnlab.config.read_arguments import read_arguments
from snnlab.export.readers import Reader
from snnlab.ranges import Positive
from snnlab.runs.run_arguments import RunArguments


@dataclass(frozen=True, kw_only=True)
class ExportArguments(RunArguments):
    """The parts of a command line."""

    verb: ClassVar[str] = "export"
    usage: ClassVar[str] = "snnlab export run=<run directory>, as snnlab train printed it"

    format: Literal["nir", "safetensors", "onnx", "torch.export"] = "nir"
    """A NIR graph, the weights alone, or the whole network and its loop over time for ONNX or torch.export."""
    out: Path | None = None
    """The file to write; network.FORMAT in the run directory by default (network.pt2 for torch.export)."""
    dt: Positive | None = None
    """Seconds that a time step stands for in NIR, for example dt=0.001; the reader's own otherwise."""
    reader: Reader = "any"
    """The package that a NIR file is for; any is NIR as it is defined."""

    @property
    def file(self) -> Path:
        """The file to write."""
        return self.out or self.run / f"network.{'pt2' if self.format == 'torch.export' else self.format}"


def read_export_arguments(given: Sequence[str]) -> ExportArguments:
    """Parses `run=DIR format=nir checkpoint=best out=FILE dt=0.001 reader=norse`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    return read_arguments(ExportArguments, given)
