"""Samples that are kept in the memory of the training device, where a batch is one indexing call and nothing is copied.

Shapes: N samples, B batch.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.sample_sets import SampleSet
from snnlab.errors import ConfigError

SHARE = 0.1
"""Of a GPU's free memory, that samples may take by themselves."""
_AT_ONCE = 4096


class DeviceSet(SampleSet):
    """A copy of a set on a device.

    Args:
        samples: the set, whose samples are the same every time.
        device: where the copy lies.
    """

    def __init__(self, samples: SampleSet, device: torch.device) -> None:
        self._positions = samples.positions()
        self.labels = samples.labels
        first, _ = samples.batch([0])
        self.samples_N = torch.empty((len(samples), *first.shape[1:]), dtype=first.dtype, device=device)
        for start in range(0, len(samples), _AT_ONCE):
            part, _ = samples.batch(range(start, min(start + _AT_ONCE, len(samples))))
            self.samples_N[start : start + len(part)] = part.to(device)
        self.labels_N = torch.from_numpy(self.labels).to(device)

    @property
    def at_hand(self) -> bool:
        return True

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.samples_N[index], int(self.labels[index])

    def positions(self) -> NDArray[np.int64]:
        return self._positions

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        return next(self.batches([indices]))

    def batches(self, batches: Sequence[Sequence[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of these indices: samples [B, ...] and labels [B]; the indices are copied to the device once."""
        if not batches:
            return
        order_N = torch.from_numpy(np.concatenate([np.asarray(one) for one in batches]))
        order_N, sizes = order_N.to(self.labels_N.device), [len(one) for one in batches]
        for index_B in torch.split(order_N, sizes):
            yield self.samples_N.index_select(0, index_B), self.labels_N.index_select(0, index_B)


def size_in_bytes(samples: SampleSet) -> int:
    """What the samples of a set take."""
    first, _ = samples.batch([0])
    return len(samples) * first.nbytes


def on_device(
    sets: Sequence[SampleSet], device: torch.device, choice: bool | Literal["auto"], free: int | None = None
) -> list[SampleSet]:
    """The sets, each copied to the device once if it is to be there.

    Args:
        sets: of a run; those that are read or changed one sample at a time stay as they are.
        device: of the training.
        choice: `trainer.data_on_device`; auto = on CUDA, if all of them take at most a tenth of the free memory.
        free: bytes of the device's memory; None asks CUDA.

    Raises:
        ConfigError: with true, if the first set, which is trained on, is read or changed one sample at a time.
    """
    if choice is True and not sets[0].at_hand:
        raise ConfigError(
            "trainer.data_on_device: the training samples are read or changed one by one",
            "trainer.data_on_device=auto leaves them where they are; so do augmentations like autoaugment",
        )
    distinct = {id(one): one for one in sets if one.at_hand}
    if choice == "auto":
        if device.type != "cuda" and free is None:
            return list(sets)
        room = SHARE * (torch.cuda.mem_get_info(device)[0] if free is None else free)
        if sum(size_in_bytes(one) for one in distinct.values()) > room:
            return list(sets)
    copies: dict[int, SampleSet] = {key: DeviceSet(one, device) for key, one in distinct.items() if choice}
    return [copies.get(id(one), one) for one in sets]
