"""The pairs of the board are all losses and all neurons that are trained as spiking networks, whatever is added."""

import pytest

from snnlab.board.arguments import read_board_arguments
from snnlab.board.pairs import (
    NOT_TRAINED_AS_SPIKING,
    all_losses,
    all_neurons,
    learns_from_teacher,
    pair_table,
)
from snnlab.errors import ConfigError
from snnlab.evaluate.corruption_names import CORRUPTIONS
from snnlab.evaluate.corruptions import KINDS
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.registry import component_files, load
from snnlab.tables.plan import Planner


def test_the_names_are_those_of_the_corruptions():
    assert tuple(KINDS) == CORRUPTIONS


def test_what_is_left_out_is_no_spiking_neuron():
    for name in component_files("neuron"):
        neuron = load("neuron", name)
        spiking = issubclass(neuron, MembraneNeuron) and not getattr(neuron, "own_time", False)
        assert (name in NOT_TRAINED_AS_SPIKING) == (not spiking), name


def test_losses_that_need_a_teacher_have_one():
    for name in all_losses():
        assert learns_from_teacher(name) == issubclass(load("loss", name), TeacherLoss), name


def test_every_pair_composes_and_has_a_run_of_its_own():
    table = pair_table(all_losses(), all_neurons(), "eval robustness=[all]")
    with Planner() as planner:
        plan = planner.plan("board", table, "full", [0])
    assert len(plan.cells) == len(all_losses()) * len(all_neurons())
    for cell in plan.cells:
        (run,) = cell.runs
        assert [run.cfg.loss.name, run.cfg.neuron.name] == list(cell.row.labels)
        assert (run.cfg.dataset.name, run.cfg.dataset.params["split"]) == ("cifar10", "first150")
    overrides = {run.overrides for run in plan.runs}
    teachers = {run.waits.overrides for run in plan.runs if run.waits}
    assert len(overrides) == len(plan.cells) + len(teachers)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("losses=[sdd]", "losses: unknown"),
        ("neurons=[relu]", "neurons: unknown"),
        ("severities=[6]", "severities: of 1 to 5"),
        ("seeds=[]", "seeds"),
    ],
)
def test_wrong_arguments(given, expected):
    with pytest.raises(ConfigError, match=expected):
        read_board_arguments([given])
