"""N-MNIST: MNIST's digits on a screen, recorded by an event camera that makes three saccades."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.digits import CLASS_NAMES
from snnlab.data.event_data import EventData
from snnlab.data.files import Layout
from snnlab.data.frames import Framing
from snnlab.data.splits import Split, by_test_mask, stratified, within
from snnlab.errors import DataError
from snnlab.ranges import Positive, PositiveInt

_ADDRESS = "https://www.garrickorchard.com/datasets/n-mnist"


class NMNIST(EventData):
    """N-MNIST (Orchard et al. 2015): 60,000 + 10,000 recordings of 34 x 34 pixels and about 300 ms.

    Any part of it can be used: recordings are counted, never downloaded. Looked for under `nmnist` or
    `NMNIST` in the data folder as `Train/<digit>/NNNNN.bin` and `Test/...`; `train.zip` and `test.zip` are
    unpacked there.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording.
        image_size: height and width after decoding; the sensor has 34 x 34 pixels. Default 32, which the
            networks' pools divide.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).
        split: published (folders Train, Test) | stratified80_seed0 (of Train, for subsets). The second takes
            80 % of each class of the folder Train against the rest of it, for a subset whose test part does
            not hold every digit.
    """

    name = "nmnist"
    class_names = CLASS_NAMES
    sensor = (34, 34)
    expected = 70_000
    layout = Layout(
        folders=("nmnist/NMNIST", "nmnist", "NMNIST", "N-MNIST"),
        parts=("Train", "Test"),
        classes=CLASS_NAMES,
        endings=(".bin",),
        stem=r"[0-9]{5}",
        archives=("[Tt]rain.zip", "[Tt]est.zip"),
        address=_ADDRESS,
    )

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        image_size: PositiveInt = 32,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["published", "stratified80_seed0"] = "published",
    ) -> None:
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        in_test = np.array([name.startswith("Test/") for name in names])
        if self.split_name == "stratified80_seed0":
            return within(np.flatnonzero(~in_test), stratified(labels[~in_test], 0.8, seed=0))
        missing = sorted(set(range(10)).difference(labels[in_test].tolist()))
        if missing:
            raise DataError(
                f"dataset nmnist: split 'published' needs every digit in Test, but its {int(in_test.sum())} "
                f"recordings hold no {', '.join(map(str, missing))}",
                "dataset.split=stratified80_seed0 holds out a fifth of the training part instead",
            )
        return by_test_mask(in_test)
