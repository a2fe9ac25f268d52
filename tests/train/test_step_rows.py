"""Rows of single steps: means over the interval, the same after a stop, and no read of the device in between."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from snnlab.train.learner import StepResult
from snnlab.train.meter import Meter
from snnlab.train.step_rows import StepRows


def step(meter: Meter, rows: StepRows, number: int) -> None:
    meter.update(
        StepResult({"ce": torch.tensor(float(number))}, torch.tensor(number % 2), 2, torch.zeros(()))
    )
    rows.step(meter, number=number, epoch=0, rate=1 / number)


def losses(found):
    return [(row["step"], row["train_step/loss"]) for row in found]


def test_each_row_is_the_mean_of_its_interval():
    meter, rows = Meter(torch.device("cpu")), StepRows(2)
    for number in range(1, 6):
        step(meter, rows, number)
    found = rows.take()
    assert losses(found) == [(2, 1.5), (4, 3.5)]
    assert found[0]["train_step/acc"] == 0.25
    assert found[1]["train_step/lr"] == 0.25
    assert found[0]["split"] == "train_step"
    assert rows.take() == []
    meter.reset()
    rows.new_epoch()
    step(meter, rows, 6)
    assert losses(rows.take()) == [(6, 6.0)], "an interval ends with the epoch"


def test_a_run_that_continues_within_an_interval_has_the_same_rows():
    meter, rows = Meter(torch.device("cpu")), StepRows(2)
    for number in (1, 2, 3):
        step(meter, rows, number)
    assert losses(rows.take()) == [(2, 1.5)]
    again, resumed = Meter(torch.device("cpu")), StepRows(2)
    again.load_state_dict(meter.state_dict())
    resumed.load_state_dict(rows.state_dict())
    step(again, resumed, 4)
    assert losses(resumed.take()) == [(4, 3.5)]


def test_nothing_is_read_before_take(monkeypatch):
    meter, rows = Meter(torch.device("cpu")), StepRows(1)
    with monkeypatch.context() as patch:
        for name in ("item", "tolist", "__float__", "__bool__", "__int__", "cpu"):
            patch.setattr(Tensor, name, lambda *_: pytest.fail("read"))
        step(meter, rows, 1)
        step(meter, rows, 2)
    assert len(rows.take()) == 2


def test_without_an_interval_there_are_no_rows():
    meter, rows = SimpleNamespace(sums={}, count=1), StepRows(None)
    rows.step(meter, number=20, epoch=0, rate=0.1)
    assert rows.take() == []
