"""What `snnlab convert` is asked for: the run, the checkpoint, what becomes of normalisation. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.config.eval_arguments import CHECKPOINTS
from snnlab.config.run_file import find_run
from snnlab.config.suggest import did_you_mean
from snnlab.errors import ConfigError

FOLD = ("true", "false")


@dataclass(frozen=True)
class ConvertArguments:
    """The parts of a command line.

    Args:
        run: the run directory of the quantised ANN.
        checkpoint: `last` or `best`.
        fold: normalisation goes into the weights.
        overrides: for the configuration of the converted run.
    """

    run: Path
    checkpoint: str
    fold: bool
    overrides: tuple[str, ...]


def read_convert_arguments(given: Sequence[str]) -> ConvertArguments:
    """Takes apart `run=DIR checkpoint=best fold=false neuron.equal=average`.

    The converted run lies beside the ANN's unless `paths.runs` says where.

    Raises:
        ConfigError: the run is missing, or a value does not fit.
    """
    values = {"run": "", "checkpoint": "last", "fold": "true"}
    overrides = []
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key in values:
            values[key] = value
        else:
            overrides.append(text)
    if not values["run"]:
        raise ConfigError(
            "convert: no run is given",
            "snnlab convert run=<run directory of an ANN with neuron=quant_relu>, as snnlab train printed it",
        )
    for key, choices in (("checkpoint", CHECKPOINTS), ("fold", FOLD)):
        if values[key] not in choices:
            guess = did_you_mean(values[key], choices)
            raise ConfigError(
                f"{key}: unknown choice '{values[key]}'" + (f".{guess}" if guess else ""),
                f"choose one of: {', '.join(choices)}",
            )
    run = find_run(Path(values["run"]).expanduser().resolve())
    fold = values["fold"] == "true"
    settings = [
        "neuron=mixed_if",
        "residual_neuron=null",
        *(["norm=shift"] if fold else []),
        "regulariser=none",
        f"init.run={run}",
        f"init.checkpoint={values['checkpoint']}",
        "init.identity=''",
        *(
            []
            if any(one.startswith("paths.runs=") for one in overrides)
            else [f"paths.runs={run.parents[2]}"]
        ),
    ]
    return ConvertArguments(run, values["checkpoint"], fold, (*settings, *overrides))
