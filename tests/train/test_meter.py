"""What a training step adds to the epoch's sums is read once an interval, not at each step."""

import io

import pytest
import torch
from rich.console import Console

from snnlab.train.learner import StepResult
from snnlab.train.meter import Meter
from snnlab.train.progress import Progress
from tests.train.discipline import disciplined


def result(loss: float) -> StepResult:
    terms = {"ce": torch.tensor(loss), "l1": torch.tensor(0.5)}
    return StepResult(terms, torch.tensor(3), 4, torch.zeros(1))


def test_steps_are_added_without_reading_them_on_the_host() -> None:
    meter = Meter(torch.device("cpu"))
    progress = Progress("plain", 1, 9, 4, console=Console(file=io.StringIO()))
    steps = [result(loss) for loss in (1.0, 2.0, 4.0)]
    meter.update(steps[0])
    progress.advance(steps[0].loss, steps[0].correct, steps[0].count)
    with disciplined():
        for one in steps[1:]:
            meter.update(one)
            progress.advance(one.loss, one.correct, one.count)
    found = meter.compute("train")
    assert found["train/loss/ce"] == pytest.approx(7 / 3)
    assert found["train/loss"] == pytest.approx(7 / 3 + 0.5)
    assert found["train/acc"] == 0.75
