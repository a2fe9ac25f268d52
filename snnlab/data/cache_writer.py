"""Integrates recordings, in worker processes where there are many, and writes their frames to one file.

Shapes: N recordings, n of a chunk, T frames, H height, W width.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.track import track
from snnlab.data.workers import read_ahead

Produce = Callable[[Sequence[int]], NDArray[np.uint8]]
"""Frames [n, T, 2, H, W] of the recordings with these indices."""
_CHUNK = 32


@dataclass(frozen=True)
class _Chunks:
    """Frames of up to 32 recordings per index."""

    count: int
    produce: Produce

    def __len__(self) -> int:
        return -(-self.count // _CHUNK)

    def __call__(self, index: int) -> Tensor:
        return torch.from_numpy(self.produce(range(index * _CHUNK, min((index + 1) * _CHUNK, self.count))))


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
        produced = read_ahead(chunks, range(len(chunks)), workers)
        for frames in track(produced, len(chunks), f"integrating {title}"):
            assert frames.dtype == torch.uint8
            assert tuple(frames.shape[1:]) == shape[1:]
            file.write(frames.numpy().tobytes())
            empty += (first + np.flatnonzero(frames.flatten(1).amax(1).numpy() == 0)).tolist()
            first += len(frames)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest(), empty
