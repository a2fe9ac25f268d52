"""What `snnlab export` is asked for: the run, the checkpoint, the format, the file. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.config.eval_arguments import CHECKPOINTS
from snnlab.config.suggest import did_you_mean
from snnlab.errors import ConfigError

FORMATS = ("nir", "safetensors")


@dataclass(frozen=True)
class ExportArguments:
    """The parts of a command line.

    Args:
        run: the run directory.
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
    values = {"run": "", "checkpoint": "last", "format": "nir", "out": "", "dt": ""}
    overrides = []
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key in values:
            values[key] = value
        else:
            overrides.append(text)
    if not values["run"]:
        raise ConfigError(
            "export: no run is given", "snnlab export run=<run directory>, as snnlab train printed it"
        )
    for key, choices in (("checkpoint", CHECKPOINTS), ("format", FORMATS)):
        if values[key] not in choices:
            guess = did_you_mean(values[key], choices)
            raise ConfigError(
                f"{key}: unknown choice '{values[key]}'" + (f".{guess}" if guess else ""),
                f"choose one of: {', '.join(choices)}",
            )
    run = Path(values["run"]).expanduser().resolve()
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
