"""How many processes read samples ahead where `trainer.num_workers` is `auto`."""

from typing import Literal

import torch

from snnlab.data.sample_sets import SampleSet
from snnlab.system import cores

MOST = 8
"""On larger machines, too: each holds batches in memory. On one core one reads some 870 pictures a second
(docs/datasets.md)."""


def workers(
    given: int | Literal["auto"], samples: SampleSet, device: torch.device | None, processes: int = 1
) -> int:
    """The number of processes; by themselves there are some only for a GPU, for which reading is slow.

    On a CPU they would take its cores from the training, and reading from memory takes no time.

    Args:
        given: `trainer.num_workers`.
        samples: what they read.
        device: of the training; None is a CPU.
        processes: processes of the run, which share the machine.
    """
    if given != "auto":
        return given
    if samples.at_hand or device is None or device.type != "cuda":
        return 0
    return max(1, min(MOST, cores() // processes))
