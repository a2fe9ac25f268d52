"""What `snnlab convert` is asked for: the run, the checkpoint, what becomes of normalisation. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.config.suggest import check_choice
from snnlab.runs.run_arguments import CHECKPOINTS, SWITCH, run_folder, take_keys


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
    values, overrides = take_keys(given, {"run": "", "checkpoint": "last", "fold": "true"})
    run = run_folder(
        "convert",
        values["run"],
        "snnlab convert run=<run directory of an ANN with neuron=quant_relu>, as snnlab train printed it",
    )
    check_choice("checkpoint", values["checkpoint"], CHECKPOINTS)
    check_choice("fold", values["fold"], SWITCH)
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
