"""Samples on the training device: the same batches, and when `auto` keeps them there."""

import numpy as np
import pytest
import torch

from snnlab.data.device_set import DeviceSet, on_device, size_in_bytes
from snnlab.data.limited import limited
from snnlab.data.loader import loader
from snnlab.data.sample_sets import AlteredSet, ArraySet, SampleSet
from snnlab.errors import ConfigError

CPU = torch.device("cpu")


def samples(count: int = 50) -> ArraySet:
    numbers = np.random.default_rng(0)
    images = numbers.integers(0, 255, (count + 5, 3, 4, 4), np.uint8)
    return ArraySet(images, numbers.integers(0, 7, count + 5), np.arange(count)[::-1].copy())


def same(one: SampleSet, other: SampleSet, **more: object) -> bool:
    made = [list(loader(each, 8, seed=3, epoch=2, **{"shuffle": True, **more})) for each in (one, other)]
    assert len(made[0]) == len(made[1])
    return all(torch.equal(a, b) and torch.equal(m, n) for (a, m), (b, n) in zip(*made, strict=True))


@pytest.mark.parametrize(
    "more", [{}, {"shuffle": False}, {"start_batch": 4}, {"start_batch": 7}, {"part": (1, 3)}]
)
def test_batches_are_those_of_the_loader(more: dict[str, object]) -> None:
    assert same(DeviceSet(samples(), CPU), samples(), **more)


def test_a_part_of_a_set_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.data.device_set._AT_ONCE", 7)
    part = limited(samples(), 3, 8, "stratified")
    kept = DeviceSet(part, CPU)
    assert same(kept, part)
    assert np.array_equal(kept.positions(), part.positions())
    assert torch.equal(kept.batch([3, 1])[0], part.batch([3, 1])[0])
    assert (kept[5][0] == part[5][0]).all()
    assert kept[5][1] == part[5][1]


def test_auto_keeps_what_takes_a_tenth_of_the_free_memory() -> None:
    train, test = samples(), samples(20)
    size = size_in_bytes(train) + size_in_bytes(test)
    assert size == 70 * 48
    for free, kept in ((10 * size, True), (10 * size - 1, False)):
        found = on_device([train, test], CPU, "auto", free)
        assert [isinstance(one, DeviceSet) for one in found] == [kept, kept]
    assert on_device([train, test], CPU, "auto") == [train, test], "on a CPU they are in its memory already"
    assert on_device([train, test], CPU, False, 10**9) == [train, test]


def test_a_set_that_is_both_is_copied_once() -> None:
    train = samples()
    one, other = on_device([train, train], CPU, True)
    assert one is other


def test_samples_that_are_changed_one_by_one_stay() -> None:
    changed, test = AlteredSet(samples(), [lambda image: image]), samples(20)
    for one in (changed, limited(changed, 1, 8, "first")):
        kept = on_device([one, test], CPU, "auto", 10**9)
        assert kept[0] is one
        assert isinstance(kept[1], DeviceSet)
    with pytest.raises(
        ConfigError, match="data_on_device: the training samples are read or changed one by one"
    ):
        on_device([changed, test], CPU, True)
