"""Which losses and neurons the board compares, and the table of their runs. No torch."""

from collections.abc import Sequence

from snnlab.registry import component_files
from snnlab.tables.table_file import Column, Row, Run, TableFile

EXPERIMENT = "converged_cifar10"
# Activations of ANNs, and the neuron that only a conversion makes.
NOT_TRAINED_AS_SPIKING = ("mixed_if", "quant_relu", "relu")
WITH_TEACHER = ("hard_distillation", "skd", "twd")
# The surrogate of a neuron's own paper, where the experiment's does not fit it.
SURROGATES = {"cf": "tsg", "dsatgo": "rectangle"}
# As in the tables of TMC, whose baseline leaves out TET's regulariser, and as in TWD's released code.
SETTINGS = {"tet": ("loss.lamb=0",), "twd": ("loss.ensemble=correct_steps",)}
TEACHER = Run(
    experiment=EXPERIMENT,
    overrides=("loss=sdt", "neuron=relu", "num_steps=1", "model.channels=[48,96,192,192]"),
)


def all_losses() -> list[str]:
    """All losses."""
    return list(component_files("loss"))


def all_neurons() -> list[str]:
    """All neurons that a spiking network is trained with."""
    return [name for name in component_files("neuron") if name not in NOT_TRAINED_AS_SPIKING]


def pair_table(chosen: Sequence[str], with_neurons: Sequence[str], measure: str) -> TableFile:
    """A row for each pair, as a table whose runs are planned, trained and measured like those of the papers.

    Args:
        chosen: losses.
        with_neurons: neurons.
        measure: the command that measures a finished run.
    """
    rows = [
        Row(labels=(loss, neuron), published=(None,), run=_run(loss, neuron, measure))
        for neuron in with_neurons
        for loss in chosen
    ]
    return TableFile(
        title="Calibration and robustness of every loss with every neuron",
        source="not from a paper",
        labels=("Loss", "Neuron"),
        columns=(Column(name="acc %"),),
        rows=tuple(rows),
    )


def _run(loss: str, neuron: str, measure: str) -> Run:
    # tmc, lif and triangle are the experiment's own.
    overrides = [f"loss={loss}"] if loss != "tmc" else []
    overrides += [*SETTINGS.get(loss, ()), *([f"neuron={neuron}"] if neuron != "lif" else [])]
    if neuron in SURROGATES:
        overrides.append(f"surrogate={SURROGATES[neuron]}")
    return Run(
        experiment=EXPERIMENT,
        overrides=tuple(overrides),
        teacher=TEACHER if loss in WITH_TEACHER else None,
        measure=measure,
        measured="robustness-*.json",
    )
