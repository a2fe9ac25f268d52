"""Handwritten digits seen by a simulated event camera."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.camera import EventCamera, saccades
from snnlab.data.dataset import Status
from snnlab.data.digits import CLASS_NAMES, COUNT, NAMES, load_digits, split_digits
from snnlab.data.event_data import EventData
from snnlab.data.files import Recording
from snnlab.data.frames import Events, Framing
from snnlab.data.splits import Split
from snnlab.ranges import NonNegative, NonNegativeInt, Positive, PositiveInt

_SENSOR = 16
_PIXELS_PER_CELL = 1.5
_AMPLITUDE = 3.0
_SACCADE_US = 100_000
_MOMENTS = 20
_SIMULATION = 1


class DigitsDVS(EventData):
    """Handwritten digits of scikit-learn as event streams of a simulated event camera under saccades.

    The digits are real (1797 images of 8 x 8, see `digits`); the events are simulated, not recorded: each
    digit is shown at 12 x 12 pixels to a 16 x 16 sensor that makes three saccades of 100 ms along a triangle
    3 pixels high, as N-MNIST's camera did (Orchard et al. 2015). Starting point (up to half a pixel) and
    amplitude (up to a tenth) differ from recording to recording. See `EventCamera` for the pixels. A
    recording depends on `seed` and its index alone. About 1700 events with microsecond timestamps go through
    the same integration, cache and decoding as recordings from a disk.

    Args:
        root: folder of all data sets; the cache (8 MB at 10 steps) goes to `digits_dvs` in it.
        num_steps: frames per recording.
        image_size: height and width after decoding; the simulated sensor has 16 x 16 pixels.
        by: frames of equal: number (of events) | time | duration (duration_ms each). See `Framing` for this
            key and the next three.
        duration_ms: length of a frame in milliseconds, for by=duration.
        values: counts (of events) | binary (any event).
        tail: for by=number, events left over: keep (in the last frame) | drop.
        scale: counts (as they are) | max (divided by the frame's largest) | clip (at most 1).
        empty: recordings with fewer events than steps: error | skip (left out and counted).
        resize: bilinear | pil_la (as TET and TMC resize CIFAR10-DVS, see `snnlab/data/pil_la.py`).
        split: stratified80_seed0: 1437 train, 360 test, the same digits as of `digits`.
        threshold: mean contrast threshold of the pixels, in units of log intensity.
        threshold_spread: standard deviation of the thresholds over the pixels.
        noise_rate: noise events per pixel and second.
        seed: of the camera's pixels, the paths and the noise; not the run's seed.
    """

    name = "digits_dvs"
    class_names = CLASS_NAMES
    reads_files = False
    sensor = (_SENSOR, _SENSOR)
    expected = COUNT

    def __init__(
        self,
        root: Path,
        num_steps: int = 10,
        *,
        image_size: PositiveInt = 16,
        by: Literal["number", "time", "duration"] = "number",
        duration_ms: Positive = 30.0,
        values: Literal["counts", "binary"] = "counts",
        tail: Literal["keep", "drop"] = "keep",
        scale: Literal["counts", "max", "clip"] = "counts",
        empty: Literal["error", "skip"] = "error",
        resize: Literal["bilinear", "pil_la"] = "bilinear",
        split: Literal["stratified80_seed0"] = "stratified80_seed0",
        threshold: Positive = 0.25,
        threshold_spread: NonNegative = 0.03,
        noise_rate: NonNegative = 1.0,
        seed: NonNegativeInt = 0,
    ) -> None:
        super().__init__(
            root, Framing(num_steps, by, duration_ms, values, tail), scale, image_size, split, empty, resize
        )
        self.seed = seed
        self.camera = EventCamera(
            _SENSOR, _PIXELS_PER_CELL, threshold, threshold_spread, noise_rate, seed=seed
        )

    def find(self) -> list[Recording]:
        labels = load_digits()[1]
        folder = self.root / self.name
        return [Recording(name, int(label), folder / name) for name, label in zip(NAMES, labels, strict=True)]

    def find_or_unpack(self) -> list[Recording]:
        return self.find()

    def stamps(self, recordings: Sequence[Recording]) -> list[str]:
        return [recording.name for recording in recordings]  # simulated, there are no files

    def read(self, recordings: Sequence[Recording]) -> list[Events]:
        pictures = load_digits()[0]
        index = [int(recording.name) for recording in recordings]
        generators = [np.random.default_rng([self.seed, i]) for i in index]
        start = np.stack([generator.uniform(-0.5, 0.5, 2) for generator in generators])
        amplitude = np.array([_AMPLITUDE * generator.uniform(0.9, 1.1) for generator in generators])
        path, moments = saccades(amplitude, start, _MOMENTS, _SACCADE_US)
        return self.camera.record(pictures[index], path, moments, generators)

    def split(self, names: Sequence[str], labels: NDArray[np.int64]) -> Split:
        return split_digits(self.split_name, names)

    def status(self) -> Status:
        return replace(super().status(), where=None, note="simulated from the digits of scikit-learn")

    def parameters(self) -> dict[str, object]:
        camera = self.camera
        simulated = {
            "simulation": _SIMULATION,
            "threshold": float(camera.threshold),
            "threshold_spread": float(camera.threshold_spread),
            "noise_rate": float(camera.noise_rate),
            "seed": self.seed,
        }
        return {**super().parameters(), **simulated}
