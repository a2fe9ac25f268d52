"""A file of frames as a memory map that worker processes open for themselves."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlab.errors import DataError


class FrameFile:
    """A memory-mapped .npy file that pickles as its path: each worker process opens it itself.

    Args:
        path: the file.
        written: its size and modification time, if it is opened again.

    Raises:
        DataError: it has been written anew since it was opened first.
    """

    def __init__(self, path: Path, written: tuple[int, int] | None = None) -> None:
        self.path = path
        state = path.stat()
        self._written = (state.st_size, state.st_mtime_ns)
        if written not in (None, self._written):
            raise DataError(
                f"{path} was written anew while it was used",
                "the data changed, and another command integrated them; the same command says what differs",
            )
        self._map: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)

    def __getitem__(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.asarray(self._map[index])

    def __len__(self) -> int:
        return len(self._map)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._map.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._map.dtype

    def __reduce__(self) -> tuple[type["FrameFile"], tuple[Path, tuple[int, int]]]:
        return FrameFile, (self.path, self._written)
