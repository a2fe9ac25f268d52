"""How far a run goes: steps of the whole run, batches of an epoch."""

import pytest

from snnlab.config.schema import TrainerConfig
from snnlab.train.position import Extent


def extent(samples: int = 100, **settings: int) -> Extent:
    return Extent.of(TrainerConfig(epochs=4, batch_size=10, **settings), samples)


def steps(found: Extent) -> list[int]:
    return [found.steps_of(epoch) for epoch in range(found.epochs)]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, [10, 10, 10, 10]),
        ({"accumulate": 3}, [4, 4, 4, 4]),
        ({"max_steps": 5}, [5]),
        ({"max_steps": 10}, [10]),
        ({"max_steps": 23}, [10, 10, 3]),
        ({"max_steps": 1000}, [10, 10, 10, 10]),
        ({"max_steps": 5, "accumulate": 3}, [4, 1]),
        ({"limit_train_batches": 4}, [4, 4, 4, 4]),
        ({"limit_train_batches": 40}, [10, 10, 10, 10]),
        ({"limit_train_batches": 4, "accumulate": 3}, [2, 2, 2, 2]),
        ({"limit_train_batches": 4, "max_steps": 6}, [4, 2]),
    ],
    ids=str,
)
def test_steps_of_each_epoch(settings: dict[str, int], wanted: list[int]) -> None:
    assert steps(extent(**settings)) == wanted


def test_a_limit_of_steps_leaves_the_schedule_that_of_the_epochs() -> None:
    assert extent(max_steps=5).steps_per_epoch == extent().steps_per_epoch == 10
    assert extent(limit_train_batches=4).steps_per_epoch == 4


def test_a_last_batch_that_is_smaller_counts() -> None:
    assert extent(samples=101).batches == 11
