"""Batches in an order that depends on (seed, epoch) alone and can start anywhere in the epoch.

All randomness in a sample is drawn from a seed made of (seed, epoch, batch), not from a worker's state: neither the
number of workers nor an interruption changes a batch.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from snnlab.data.device_set import DeviceSet
from snnlab.data.sample_sets import SampleSet
from snnlab.data.workers import read_ahead

# The uses of derived seeds; no two share a number.
ORDER, SAMPLES, AUGMENTS, NOISE, MIXES = range(5)


def loader(
    dataset: SampleSet,
    batch_size: int,
    *,
    shuffle: bool,
    seed: int,
    epoch: int,
    start_batch: int = 0,
    num_workers: int = 0,
    pin_memory: bool = False,
    part: tuple[int, int] = (0, 1),
) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterates over one epoch: (uint8 [B, ...], labels [B]).

    Args:
        dataset: where the samples come from; batches of a `DeviceSet` are on its device.
        batch_size: samples per batch.
        shuffle: in a random order given by `seed` and `epoch`; otherwise in the stored order.
        seed, epoch: determine the order and the randomness of operations in the loader.
        start_batch: number of batches to skip without reading them; the others do not change.
        num_workers: processes that read ahead; 0 reads in this process, which is faster for data in
            memory.
        pin_memory: puts batches into page-locked memory, for an asynchronous copy to a GPU.
        part: (r, n) selects the part of every batch for the r-th of n processes, see `epoch_batches`.

    Raises:
        ValueError: there is no batch.
    """
    batches = epoch_batches(len(dataset), batch_size, shuffle=shuffle, seed=seed, epoch=epoch, part=part)
    if isinstance(dataset, DeviceSet):
        return dataset.batches(batches[start_batch:])
    whole = _Batches(dataset, batches, seed, epoch, part[0])
    todo = range(start_batch, len(batches))
    if num_workers == 0 and not pin_memory:
        return (whole[k] for k in todo)
    return read_ahead(whole.__getitem__, todo, num_workers, pin_memory=pin_memory)


def epoch_batches(
    count: int, batch_size: int, *, shuffle: bool, seed: int, epoch: int, part: tuple[int, int] = (0, 1)
) -> list[list[int]]:
    """The sample indices of every batch of an epoch.

    With `part` (r, n), those of the r-th of n processes: every n-th sample of each batch. A batch of fewer than
    n samples, which only the last one can be, is filled up with samples of its own, so that each gets one.
    """
    rank, processes = part
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if shuffle:
        generator = torch.Generator().manual_seed(derived_seed(seed, epoch, ORDER))
        order = torch.randperm(count, generator=generator).tolist()
    else:
        order = list(range(count))
    if count == 0:
        raise ValueError("no batch can be made of no samples")
    batches = [order[i : i + batch_size] for i in range(0, count, batch_size)]
    return [batch[rank::processes] or [batch[rank % len(batch)]] for batch in batches]


def derived_seed(*parts: int) -> int:
    """A 63-bit seed from non-negative integers; different parts give unrelated seeds.

    Mixed by a hash, so that every part counts where a generator looks at the lower 32 bits only, as torch's on
    the CPU does.
    """
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


class _Batches:
    """Index k gives batch k."""

    def __init__(
        self, dataset: SampleSet, batches: Sequence[Sequence[int]], seed: int, epoch: int, rank: int
    ) -> None:
        self.dataset, self.batches, self.seed, self.epoch = dataset, batches, seed, epoch
        self._of_process = (rank,) if rank else ()

    def __getitem__(self, k: int) -> tuple[Tensor, Tensor]:
        # The CPU's generator only: torch's fork_rng and manual_seed would change the GPU's, too.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(
                derived_seed(self.seed, self.epoch, SAMPLES, k, *self._of_process)
            )
            return self.dataset.batch(self.batches[k])
