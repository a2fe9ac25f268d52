"""CIFAR10-DVS: images of CIFAR-10 moving on a screen in front of an event camera."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.event_data import EventData
from snnlab.data.files import Layout, Recording, number_in
from snnlab.data.frames import Events, Framing
from snnlab.data.splits import Split, by_test_mask, committed, first_of_class
from snnlab.ranges import Positive, PositiveInt

_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class CIFAR10DVS(EventData):
    """CIFAR10-DVS (Li et al. 2017): 1000 recordings of 128 x 128 pixels per class, no published split.

    Looked for under `cifar10_dvs` or `CIFAR10DVS` in the data folder as `<class>/cifar10_<class>_<number>`
    with the ending .aedat (as published), .npz (spikingjelly's `events_np`) or .aedat4 (tonic's; needs the
    package aedat). The archives are unpacked there. Frames are cached at 128 x 128: 3.3 GB at 10 steps.

    Args:
        root: folder of all data sets.
        num_steps: frames per recording.
        image_size: height and width after decoding; the sensor has 128 x 128 pixels. Default 48, as in TET,
            TMC and TWD.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop. The frames that TET released
            (used by TMC, NDA) are binary and hold equal numbers of events, without a rest: `values: binary`,
            `tail: drop`. Those of spikingjelly (used by TWD, Spikformer) are counts: the defaults.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1). TET divides by
            the largest of a frame.
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (OFF events become their share of the ON events). TET's loader, which TMC, NDA's
            copy of it and MPD-AGL (DS-ATGO) share, makes pictures of its frames whose resize is `pil_la`, see
            `snnlab/data/pil_la.py`; spikingjelly's users resize both channels alike.
        split: tet (900-999 test) | teb (0-99 test) | spikingjelly_order | random9000_seed42. In `tet` the
            numbers 900 to 999 of each class are held out (TET, TMC, MPD-AGL), in `teb` 0 to 99 (PSN, TEBN),
            in `spikingjelly_order` the last tenth of each class by file name as text (Spikformer, LM-HT), in
            `random9000_seed42` 1000 at random, not stratified (TWD).
    """

    name = "cifar10_dvs"
    class_names = _CLASSES
    sensor = (128, 128)
    expected = 10_000
    layout = Layout(
        folders=(
            "cifar10_dvs",
            "cifar10_dvs/extract",
            "cifar10_dvs/events_np",
            "CIFAR10DVS",
            "CIFAR10DVS/extract",
            "CIFAR10DVS/events_np",
        ),
        classes=_CLASSES,
        endings=(".aedat", ".npz", ".aedat4"),
        stem=r"cifar10_CLASS_(0|[1-9][0-9]{0,3})",
        archives=("CIFAR10DVS.zip", *(f"{name}.zip" for name in _CLASSES)),
        address="https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
    )

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        image_size: PositiveInt = 48,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 100.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["tet", "teb", "spikingjelly_order", "random9000_seed42"] = "tet",
    ) -> None:
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )

    def read(self, recordings: Sequence[Recording]) -> list[Events]:
        """The published frames hold rows as columns (spikingjelly, TET); .npz and .aedat4 are stored so already."""
        return [
            replace(events, x=events.y, y=events.x) if recording.path.suffix == ".aedat" else events
            for recording, events in zip(recordings, super().read(recordings), strict=True)
        ]

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        numbers = np.array([number_in(name) for name in names])
        if self.split_name == "tet":
            return by_test_mask(numbers >= 900)
        if self.split_name == "teb":
            return by_test_mask(numbers < 100)
        if self.split_name == "random9000_seed42":
            keys = [f"{_CLASSES[label]}/{number}" for label, number in zip(labels, numbers, strict=True)]
            return committed("cifar10_dvs-random9000_seed42.txt", keys)
        order = np.array(sorted(range(len(names)), key=lambda i: names[i]))
        return first_of_class(labels, 0.9, math.ceil, order)
