"""The order of batches, continuing in the middle, and independence of the number of workers."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from snnlab.data.loader import derived_seed, epoch_batches, loader
from snnlab.data.sample_sets import AlteredSet, ArraySet
from snnlab.errors import DataError, RunError


def numbered(count=23):
    """Sample i holds i everywhere; its label is i, too."""
    samples = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), np.uint8)
    return ArraySet(samples, np.arange(count))


def labels(batches):
    return [target.tolist() for _, target in batches]


def in_order(batches):
    return [label for batch in labels(batches) for label in batch]


def run(dataset=None, **kwargs):
    return list(loader(dataset or numbered(), 5, **{"shuffle": True, "seed": 0, "epoch": 0, **kwargs}))


def test_every_sample_once_with_its_label():
    batches = run()
    assert [len(target) for _, target in batches] == [5, 5, 5, 5, 3]
    assert sorted(in_order(batches)) == list(range(23))
    for raw, target in batches:
        assert raw.dtype == torch.uint8
        assert target.dtype == torch.int64
        assert (raw[:, 0, 0, 0] == target).all()


def test_order_depends_on_seed_and_epoch_alone():
    torch.manual_seed(1)
    first = labels(run())
    torch.manual_seed(2)
    assert labels(run()) == first
    assert labels(run(epoch=1)) != first
    assert labels(run(seed=1)) != first
    assert labels(run(seed=1, epoch=0)) != labels(run(seed=0, epoch=1))


def test_without_shuffling_in_stored_order():
    assert in_order(run(shuffle=False, epoch=3)) == list(range(23))


def test_no_samples():
    with pytest.raises(ValueError, match="no batch"):
        epoch_batches(0, 5, shuffle=False, seed=0, epoch=0)


def jitter(x_CHW):
    return x_CHW + torch.randint(0, 100, (1,)).to(torch.uint8)


@pytest.mark.parametrize("start", [0, 1, 3, 4, 5])
def test_starting_in_the_middle_gives_the_rest(start):
    dataset = AlteredSet(numbered(), [jitter])
    whole = run(dataset)
    torch.rand(7)
    rest = run(dataset, start_batch=start)
    assert len(rest) == len(whole) - start
    for (x, y), (x_whole, y_whole) in zip(rest, whole[start:], strict=True):
        assert torch.equal(x, x_whole)
        assert torch.equal(y, y_whole)


def test_workers_change_nothing():
    dataset = AlteredSet(numbered(), [jitter])
    alone, helped = run(dataset), run(dataset, num_workers=2, start_batch=0)
    for (x, y), (x2, y2) in zip(alone, helped, strict=True):
        assert torch.equal(x, x2)
        assert torch.equal(y, y2)


def test_random_operations_differ_between_batches_and_epochs_and_samples():
    dataset = AlteredSet(numbered(1), [jitter])
    drawn = {
        int(loader_batch[0][0].flatten()[0])
        for epoch in range(20)
        for loader_batch in run(dataset, epoch=epoch)
    }
    assert len(drawn) > 5
    flat = ArraySet(np.zeros((23, 1, 1, 1), np.uint8), np.zeros(23, int))
    assert len({int(x) for raw, _ in run(AlteredSet(flat, [jitter])) for x in raw.flatten()}) > 8


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_default_generator_is_left_alone(num_workers):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    run(AlteredSet(numbered(), [jitter]), num_workers=num_workers)
    assert torch.equal(torch.rand(3), expected)


# More batches than are read ahead, so that the workers have something left to do after the signal.
SIGNAL_TO_ALL = """
import os, signal, sys
from snnlab.errors import DataError, RunError
from snnlab.data.loader import loader
from tests.data.test_loader import in_order, numbered
signal.signal(signal.SIGTERM, lambda number, frame: None)
batches = loader(numbered(100), 5, shuffle=False, seed=0, epoch=0, num_workers=2)
first = next(batches)
os.killpg(0, signal.SIGTERM)
assert in_order([first, *batches]) == list(range(100))
"""


def test_a_signal_to_the_whole_process_group_leaves_the_workers_at_work():
    command = [sys.executable, "-c", SIGNAL_TO_ALL]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_plain_iterator_that_can_be_taken_in_pieces():
    batches = loader(numbered(), 5, shuffle=False, seed=0, epoch=0)
    assert next(batches)[1].tolist() == [0, 1, 2, 3, 4]
    assert next(batches)[1].tolist() == [5, 6, 7, 8, 9]


def test_bad_batch_size():
    with pytest.raises(ValueError, match="at least 1"):
        epoch_batches(3, 0, shuffle=False, seed=0, epoch=0)


def test_derived_seeds_are_fixed_and_differ():
    assert derived_seed(0, 0, 0) == derived_seed(0, 0, 0)
    seeds = {derived_seed(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seeds) == 125
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_array_set_of_some_samples():
    part = ArraySet(numbered().samples, np.arange(23) * 10, np.array([7, 3]))
    assert len(part) == 2
    sample, label = part[1]
    assert label == 30
    assert sample.shape == (1, 2, 2)
    assert (sample == 3).all()
    raw, target = part.batch([1, 0])
    assert target.tolist() == [30, 70]
    assert raw[:, 0, 0, 0].tolist() == [3, 7]


class Failing:
    """Samples that cannot be read."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 10

    def batch(self, indices):
        raise self.error


class OddError(Exception):
    """An error that does not survive pickling."""

    def __init__(self, a, b):
        super().__init__(f"{a} {b}")


@pytest.mark.parametrize(
    "error",
    [
        DataError("a/b.npy: damaged", "get it again"),
        OSError(5, "Input/output error", "a/b.npy"),
        KeyError("k"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    ],
)
def test_an_error_of_a_worker_is_the_same_error(error):
    with pytest.raises(type(error)) as caught:
        run(Failing(error), num_workers=1)
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert vars(caught.value) == vars(error)
    assert getattr(caught.value, "filename", None) == getattr(error, "filename", None)
    assert "in a worker process" in str(caught.value.__cause__)


def test_an_error_that_cannot_be_handed_over_still_arrives():
    with pytest.raises(Exception, match="one two"):
        run(Failing(OddError("one", "two")), num_workers=1)


class Killed(Failing):
    def batch(self, indices):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_one_error():
    with pytest.raises(RunError, match="a process that reads data ended: DataLoader worker"):
        run(Killed(None), num_workers=1)
