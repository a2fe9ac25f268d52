"""Integrates recordings, in worker processes where there are many, and writes their frames to one file.

Shapes: N recordings, n of a chunk, T frames, H height, W width.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from snnlab.data.track import track
from snnlab.errors import DataError

Produce = Callable[[Sequence[int]], NDArray[np.uint8]]
"""Frames [n, T, 2, H, W] of the recordings with these indices."""
_CHUNK = 32


class _Chunks(Dataset[Tensor | DataError]):
    """Frames of 32 recordings per item. A DataError is returned as a value: worker processes do not keep its type."""

    def __init__(self, count: int, produce: Produce) -> None:
        self.chunks = [range(i, min(i + _CHUNK, count)) for i in range(0, count, _CHUNK)]
        self.produce = produce

    def __len__(self) -> int:
        return len(self.chunks)

    def __getitem__(self, index: int) -> Tensor | DataError:
        try:
            return torch.from_numpy(self.produce(self.chunks[index]))
        except DataError as error:
            return error


def write_frames(
    path: Path, shape: tuple[int, ...], produce: Produce, workers: int, title: str
) -> tuple[str, list[int]]:
    """Writes chunk by chunk with `write`; writing to a memory map would kill the process when the disk is full.

    Returns:
        Hash of the file, and indices of the recordings whose frames are all zero.

    Raises:
        DataError: a recording is unreadable.
    """
    chunks = _Chunks(shape[0], produce)
    empty: list[int] = []
    first = 0
    with path.open("w+b") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        # Its own generator, so that torch's does not advance and a first run equals one that finds the cache.
        produced = DataLoader(chunks, batch_size=None, num_workers=workers, generator=torch.Generator())
        for frames in track(produced, len(chunks), f"integrating {title}"):
            if isinstance(frames, DataError):
                raise frames
            assert frames.dtype == torch.uint8
            assert tuple(frames.shape[1:]) == shape[1:]
            file.write(frames.numpy().tobytes())
            empty += (first + np.flatnonzero(frames.flatten(1).amax(1).numpy() == 0)).tolist()
            first += len(frames)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest(), empty
