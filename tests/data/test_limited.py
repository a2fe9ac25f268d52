"""A part of a set: the shares of its classes, the same samples every time, whatever the order of the set."""

from collections import Counter

import numpy as np
import pytest

from snnlab.data.limited import limited, stratified_part
from snnlab.data.sample_sets import ArraySet


def sorted_labels(*sizes: int) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


def numbered(labels: np.ndarray) -> ArraySet:
    """Sample n holds n."""
    return ArraySet(np.arange(len(labels), dtype=np.uint8)[:, None], labels)


@pytest.mark.parametrize("count", [10, 25, 64, 99])
def test_a_part_of_a_class_sorted_set_has_all_classes_in_equal_shares(count: int) -> None:
    labels = sorted_labels(*[10] * 10)
    found = Counter(labels[stratified_part(labels, count)].tolist())
    assert sum(found.values()) == count
    assert set(found.values()) <= {count // 10, -(-count // 10)}


def test_unequal_classes_keep_their_shares_and_the_smallest_is_there() -> None:
    labels = sorted_labels(600, 300, 95, 5)
    found = Counter(labels[stratified_part(labels, 100)].tolist())
    assert all(abs(found[label] - share) <= 1 for label, share in enumerate((60, 30, 9.5, 0.5)))
    assert found[3] == 1


@pytest.mark.parametrize("count", [1, 7, 50])
def test_a_part_is_the_same_every_time_in_order_and_inside_a_larger_one(count: int) -> None:
    labels = np.random.default_rng(3).permutation(sorted_labels(40, 7, 13))
    part = stratified_part(labels, count)
    assert part.tolist() == sorted(set(part.tolist()))
    assert (part == stratified_part(labels, count)).all()
    assert set(part) < set(stratified_part(labels, count + 5))


def test_a_part_is_not_the_first_samples_of_each_class() -> None:
    labels = sorted_labels(50, 50)
    assert stratified_part(labels, 20).tolist() != [*range(10), *range(50, 60)]


def test_samples_keep_their_labels() -> None:
    part = limited(numbered(sorted_labels(20, 20, 20)), 4, 3, "stratified")
    samples, labels = part.batch(range(len(part)))
    assert len(part) == 12
    assert (samples[:, 0] // 20 == labels).all()
    assert [int(part[n][0]) for n in range(12)] == samples[:, 0].tolist()
    assert part.labels.tolist() == labels.tolist()


def test_the_first_samples_by_choice_and_the_set_itself_where_the_limit_is_no_limit() -> None:
    whole = numbered(sorted_labels(20, 20))
    assert limited(whole, 2, 4, "first").batch(range(8))[0].flatten().tolist() == list(range(8))
    assert limited(whole, None, 4, "first") is limited(whole, 10, 4, "stratified") is whole
