"""What tells runs apart in few words."""

from snnlab.report.labels import labels_of
from snnlab.report.run_data import RunData


def test_labels_name_what_only_some_runs_have(run):
    cf = run("neuron=cf", name="cf")
    runs = [RunData(cf), RunData(run("neuron=cf", "regulariser=pnb", name="pnb")), RunData(run())]
    assert labels_of(runs) == ["cf", "cf pnb", "lif"]


def test_labels_tell_runs_apart_that_differ_in_a_number_only(run):
    runs = [
        RunData(run("neuron.threshold=0.5", name="a")),
        RunData(run("neuron.threshold=2", name="b")),
        RunData(run("neuron.threshold=2", "seed=1", "trainer.threads=1", name="c")),
        RunData(run("loss=sdt", name="d")),
    ]
    assert labels_of(runs) == [
        "tmc threshold 0.5 seed 0", "tmc threshold 2 seed 0", "tmc threshold 2 seed 1", "sdt seed 0",
    ]  # fmt: skip
