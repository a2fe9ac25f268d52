"""What `snnlab export` is asked for: the run, the checkpoint, the format, the file. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.config.suggest import check_choice
from snnlab.errors import ConfigError
from snnlab.runs.run_arguments import CHECKPOINTS, run_folder, take_keys

FORMATS = ("nir", "safetensors")


@dataclass(frozen=True)
class ExportArguments:
    """The parts of a command line.

    Args:
        run: the run directory; a folder that holds one run only stands for it.
        checkpoint: `last` or `best`.
        format: one of FORMATS.
        out: the file to write.
        dt: seconds that a time step stands for, in NIR; None: the format's default.
        overrides: everything else, for the run's configuration.
    """

    run: Path
    checkpoint: str
    format: str
    out: Path
    dt: float | None
    overrides: tuple[str, ...]


def read_export_arguments(given: Sequence[str]) -> ExportArguments:
    """Takes apart `run=DIR format=nir checkpoint=best out=FILE dt=0.001`.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    values, overrides = take_keys(
        given, {"run": "", "checkpoint": "last", "format": "nir", "out": "", "dt": ""}
    )
    run = run_folder("export", values["run"], "snnlab export run=<run directory>, as snnlab train printed it")
    check_choice("checkpoint", values["checkpoint"], CHECKPOINTS)
    check_choice("format", values["format"], FORMATS)
    out = Path(values["out"]).expanduser() if values["out"] else run / f"network.{values['format']}"
    return ExportArguments(
        run, values["checkpoint"], values["format"], out, _seconds(values["dt"]), tuple(overrides)
    )


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"dt: expected a number > 0, got '{text}'", "seconds, for example dt=0.001")
    return seconds
