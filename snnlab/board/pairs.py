"""Which losses and neurons the board compares, and the table of their runs. No torch."""

import ast
from collections.abc import Sequence

from snnlab.registry import component_files
from snnlab.tables.table_file import Column, Row, Run, TableFile

EXPERIMENT = "converged_cifar10"
# Activations of ANNs, and the neuron that only a conversion makes.
NOT_TRAINED_AS_SPIKING = ("mixed_if", "quant_relu", "relu")
# The surrogate of a neuron's own paper, where the experiment's does not fit it.
SURROGATES = {"cf": "tsg", "dsatgo": "rectangle"}
# As in the tables of TMC, whose baseline leaves out TET's regulariser, and as in TWD's released code.
SETTINGS = {"tet": ("loss.lamb=0",), "twd": ("loss.ensemble=correct_steps",)}
TEACHER = Run(
    experiment=EXPERIMENT,
    overrides=("loss=sdt", "neuron=relu", "num_steps=1", "model.channels=[48,96,192,192]"),
)


def all_losses(plugins: tuple[str, ...] = ()) -> list[str]:
    """All losses, with those of packages of one's own."""
    return list(component_files("loss", plugins))


def all_neurons(plugins: tuple[str, ...] = ()) -> list[str]:
    """All neurons that a spiking network is trained with, with those of packages of one's own."""
    return [name for name in component_files("neuron", plugins) if name not in NOT_TRAINED_AS_SPIKING]


def learns_from_teacher(loss: str, plugins: tuple[str, ...] = ()) -> bool:
    """Whether a loss is one of those that need a teacher, by the base class in its source."""
    _, file = component_files("loss", plugins)[loss]
    classes = [
        node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)
    ]
    bases = {ast.unparse(base).rpartition(".")[2] for one in classes for base in one.bases}
    return "TeacherLoss" in bases


def pair_table(
    chosen: Sequence[str], with_neurons: Sequence[str], measure: str, plugins: tuple[str, ...] = ()
) -> TableFile:
    """A row for each pair, as a table whose runs are planned, trained and measured like those of the papers.

    Args:
        chosen: losses.
        with_neurons: neurons.
        measure: the command that measures a finished run.
        plugins: packages that losses may be of.
    """
    teachers = {loss: TEACHER if learns_from_teacher(loss, plugins) else None for loss in chosen}
    rows = [
        Row(labels=(loss, neuron), published=(None,), run=_run(loss, neuron, measure, teachers[loss]))
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


def _run(loss: str, neuron: str, measure: str, teacher: Run | None) -> Run:
    # tmc, lif and triangle are the experiment's own.
    overrides = [f"loss={loss}"] if loss != "tmc" else []
    overrides += [*SETTINGS.get(loss, ()), *([f"neuron={neuron}"] if neuron != "lif" else [])]
    if neuron in SURROGATES:
        overrides.append(f"surrogate={SURROGATES[neuron]}")
    return Run(
        experiment=EXPERIMENT,
        overrides=tuple(overrides),
        teacher=teacher,
        measure=measure,
        measured="robustness-*.json",
    )
