"""A command line without an experiment, a data set or a model means the quickstart, and says so."""

import pytest

from snnlab.cli import main
from snnlab.config.quickstart import NOTE, is_quickstart


@pytest.mark.parametrize("line", [[], ["seed=3", "neuron=plif"]])
def test_no_choice_is_the_quickstart(line, capsys):
    assert main(["check", "--no-build", *line]) == 0
    found = capsys.readouterr()
    assert NOTE in found.err
    assert main(["check", "--no-build", "+experiment=quickstart", *line]) == 0
    named = capsys.readouterr()
    assert found.out == named.out, "the same run directory"
    assert not named.err


@pytest.mark.parametrize(
    "one", ["+experiment=tmc_nmnist", "experiment=quickstart", "dataset=digits", "model=vgg_snn"]
)
def test_a_choice_is_taken_as_it_is(one, capsys):
    assert not is_quickstart([one])
    assert main(["check", "--no-build", one]) == 0
    assert not capsys.readouterr().err


def test_a_sweep_without_a_choice_is_one_of_the_quickstart(snnlab, here, stand_in):
    done = snnlab("train", "-m", "seed=0,1")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(NOTE) == 1
    assert len(list(here.glob("runs/quickstart/*/seed[01]"))) == 2
