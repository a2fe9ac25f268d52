"""Which evaluation a run remembers as its best."""

import math
from types import SimpleNamespace

import pytest

from snnlab.runs.load import load
from snnlab.train.position import Position
from snnlab.train.session import Session


@pytest.mark.parametrize(
    ("select", "values", "best"),
    [
        ("test/acc", [0.5, 0.7, 0.6, 0.7], 2),
        ("test/acc_cum/t2", [0.5, math.nan, 0.4], 1),
        ("test/ece", [0.2, 0.1, 0.3], 2),
        ("test/nll", [math.nan, 0.3, 0.2, math.nan], 3),
    ],
)
def test_the_first_of_the_best_is_kept_and_nan_never_is_the_best(select, values, best):
    saved = []
    run = SimpleNamespace(
        cfg=load(["+experiment=quickstart", f"trainer.select={select}"]),
        position=Position(),
        files=SimpleNamespace(save_checkpoint=lambda name, content: saved.append(content["epoch"])),
        learner=SimpleNamespace(weights=dict),
        data=SimpleNamespace(as_mapping=dict),
    )
    for epoch, value in enumerate(values, start=1):
        run.position.epoch = epoch
        Session.remember(run, {select: value})
    assert run.position.best["epoch"] == saved[-1] == best
    assert run.position.last["epoch"] == len(values)
