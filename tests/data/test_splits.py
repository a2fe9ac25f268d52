"""The named splits."""

import numpy as np
import pytest
import torch

from snnlab.data.digits import split_digits
from snnlab.data.splits import committed, first_of_class, stratified
from snnlab.datasets import CIFAR10DVS
from snnlab.errors import DataError


def check(split, count):
    together = np.concatenate((split.train, split.test))
    assert sorted(together.tolist()) == list(range(count))
    assert (np.diff(split.train) > 0).all()
    assert (np.diff(split.test) > 0).all()


def cifar10_dvs(split, names=None):
    dataset = CIFAR10DVS("/nowhere", split=split)
    classes = dataset.class_names
    if names is None:
        names = [f"{name}/cifar10_{name}_{number}.aedat" for name in classes for number in range(1000)]
    labels = np.array([classes.index(name.split("/")[0]) for name in names])
    return dataset.split(names, labels), names, labels


def numbers(names, index):
    return [int(names[i].rsplit("_", 1)[1].split(".")[0]) for i in index]


def test_digits():
    split = split_digits("stratified80_seed0")
    check(split, 1797)
    assert (len(split.train), len(split.test)) == (1437, 360)
    from sklearn.datasets import load_digits

    counts = np.bincount(load_digits().target[split.test])
    assert counts.min() >= 35
    assert counts.max() <= 37


@pytest.mark.parametrize(("name", "held_out"), [("tet", range(900, 1000)), ("teb", range(100))])
def test_cifar10_dvs_by_number(name, held_out):
    split, names, labels = cifar10_dvs(name)
    check(split, 10_000)
    assert numbers(names, split.test) == list(held_out) * 10
    assert np.bincount(labels[split.test]).tolist() == [100] * 10


def test_cifar10_dvs_in_spikingjellys_order():
    split, names, labels = cifar10_dvs("spikingjelly_order")
    check(split, 10_000)
    assert np.bincount(labels[split.test]).tolist() == [100] * 10
    held_out = set(numbers(names, split.test))
    assert held_out.issuperset({91, 99, *range(910, 920), *range(990, 1000)})
    # The last hundred of 0 .. 999 sorted as text.
    assert held_out == set(map(int, sorted(map(str, range(1000)))[900:]))
    assert not held_out.issuperset(range(900, 1000))


def test_cifar10_dvs_random_is_torchs_random_split():
    split, names, labels = cifar10_dvs("random9000_seed42")
    check(split, 10_000)
    order = sorted(range(10_000), key=lambda i: (labels[i], names[i]))
    _, held_out = torch.utils.data.random_split(
        order, [9000, 1000], generator=torch.Generator().manual_seed(42)
    )
    assert set(held_out) == set(split.test.tolist())


def test_cifar10_dvs_random_needs_all_files():
    with pytest.raises(DataError, match=r"random9000_seed42: \d+ of its 1000 held-out samples are missing"):
        cifar10_dvs("random9000_seed42", ["airplane/cifar10_airplane_0.aedat"])


@pytest.mark.parametrize("ending", ["aedat", "npz"])
def test_cifar10_dvs_splits_do_not_depend_on_the_format(ending):
    classes = CIFAR10DVS.class_names
    names = [f"{name}/cifar10_{name}_{number}.{ending}" for name in classes for number in range(1000)]
    for name in ("tet", "teb", "spikingjelly_order", "random9000_seed42"):
        assert (cifar10_dvs(name, names)[0].test == cifar10_dvs(name)[0].test).all()


def test_first_of_class_and_its_roundings():
    labels = np.array([0] * 15 + [1] * 4)
    import math

    assert first_of_class(labels, 0.9, math.floor).test.tolist() == [13, 14, 18]
    assert first_of_class(labels, 0.9, math.ceil).test.tolist() == [14]
    assert first_of_class(np.zeros(100, int), 0.07, math.ceil).train.tolist() == list(range(7))


def test_stratified_is_fixed_balanced_and_random():
    labels = np.repeat(np.arange(5), 50)
    split = stratified(labels, 0.8, seed=0)
    check(split, 250)
    assert np.bincount(labels[split.test]).tolist() == [10] * 5
    assert split.test.tolist() == stratified(labels, 0.8, seed=0).test.tolist()
    assert split.test.tolist() != stratified(labels, 0.8, seed=1).test.tolist()
    # Pinned: a new numpy must not move a published result's split.
    assert stratified(np.zeros(20, int), 0.8, seed=0).test.tolist() == PINNED


PINNED = [1, 9, 14, 15]


def test_committed_needs_its_file():
    with pytest.raises(FileNotFoundError):
        committed("none.txt", [])
