"""Which evaluation a run remembers as its best."""

import math
from types import SimpleNamespace

import pytest

from snnlab.runs.load import load
from snnlab.train.position import Position
from snnlab.train.session import Session


@pytest.mark.parametrize(
    ("select", "values", "best", "as_good"),
    [
        ("test/acc", [0.5, 0.7, 0.6, 0.7], 2, 2),
        ("test/acc", [0.5, 0.5, 0.6], 3, 1),
        ("test/acc_cum/t2", [0.5, math.nan, 0.4], 1, 1),
        ("test/ece", [0.2, 0.1, 0.3, 0.1, 0.1], 2, 3),
        ("test/nll", [math.nan, 0.3, 0.2, math.nan], 3, 1),
    ],
)
def test_the_first_of_the_best_is_kept_and_counted_and_nan_never_is_the_best(select, values, best, as_good):
    saved, rows = [], [{"split": "train", select: one} for one in values]
    run = SimpleNamespace(
        cfg=load(["+experiment=quickstart", f"trainer.select={select}"]),
        position=Position(),
        files=SimpleNamespace(
            save_checkpoint=lambda name, content: saved.append(content["epoch"]), read_metrics=lambda: rows
        ),
        learner=SimpleNamespace(weights=dict),
        data=SimpleNamespace(as_mapping=dict),
    )
    for epoch, value in enumerate(values, start=1):
        run.position.epoch = epoch
        rows.append({"split": "test", select: value})
        Session.remember(run, {select: value})
    assert run.position.best["epoch"] == saved[-1] == best
    assert Session.as_good.fget(run) == as_good
    assert run.position.last["epoch"] == len(values)
