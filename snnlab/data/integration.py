"""Recordings become frames: read, judged, and integrated, in the processes that fill a cache.

Shapes: n recordings, T frames, H height, W width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlab.data.empty import Empty
from snnlab.data.few_of_many import few_recordings
from snnlab.data.files import Recording
from snnlab.data.foreign import reading
from snnlab.data.frames import Events, Framing, integrate
from snnlab.errors import DataError, SnnlabError


@dataclass(frozen=True)
class Integration:
    """How the recordings of a data set become frames.

    Args:
        read: gives the events of some recordings.
        framing: how events become frames.
        sensor: height and width.
        empty: recordings with fewer events than steps: an `error`, or `skip`: frames of zeros.
    """

    read: Callable[[Sequence[Recording]], list[Events]]
    framing: Framing
    sensor: tuple[int, int]
    empty: Empty

    def frames(self, recordings: Sequence[Recording], indices: Sequence[int]) -> NDArray[np.uint8]:
        """Frames of the recordings with these indices, [n, T, 2, H, W].

        Raises:
            DataError: a file is damaged, or a recording is empty and may not be.
        """
        chosen = [recordings[i] for i in indices]
        frames = []
        for recording, events in zip(chosen, self._events(chosen), strict=True):
            with reading(recording.path, "the file is damaged, or of another data set"):
                frames.append(integrate(events, self.framing, *self.sensor))
            if len(events) < self.framing.num_steps:
                if self.empty == "error":
                    raise DataError(
                        f"{recording.path} holds {len(events)} events, {self.too_few}",
                        "download or unpack it again, remove it, or leave such recordings out with dataset.empty=skip",
                    )
                frames[-1] = np.zeros_like(frames[-1])  # by which the cache knows it
        return np.stack(frames)

    def try_some(self, recordings: Sequence[Recording]) -> None:
        """Makes frames of a few recordings of each class, and forgets them.

        Raises:
            DataError: as `frames`.
        """
        for index in few_recordings(recordings):
            self.frames(recordings, [index])

    def problem(self, recordings: Sequence[Recording], index: int) -> str:
        """What is wrong with a recording, or nothing."""
        try:
            self.frames(recordings, [index])
        except SnnlabError as error:
            return f"{error.message}\n{error.hint}"
        return ""

    @property
    def too_few(self) -> str:
        """What is said of a recording that counts as empty."""
        return f"fewer than the {self.framing.num_steps} time steps"

    def _events(self, recordings: Sequence[Recording]) -> list[Events]:
        """As `read`; an error that does not say so itself names the first recording that cannot be read."""
        try:
            return self.read(recordings)
        except SnnlabError:
            raise
        except Exception:
            for recording in recordings:
                with reading(recording.path):
                    self.read([recording])
            raise
