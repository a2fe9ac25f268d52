"""A simulated event camera that records still pictures under saccades, like N-MNIST's camera.

Shapes: N recordings, K moments, S sensor rows and columns, G picture rows and columns, E events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnlab.data.frames import Events

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EventCamera:
    """Every pixel compares the log intensity with the level at its last event.

    A pixel holds a level m. Whenever log I reaches m + c it emits an ON event and moves m up by its threshold
    c; when log I reaches m - c, an OFF event, and m moves down (Lichtsteiner et al. 2008; simulated as by
    Rebecq et al. 2018, "ESIM"). log I is linear between sampled moments, which gives the events their time.
    Thresholds differ from pixel to pixel, the same way in all recordings of a camera, and pixels emit noise.

    Attributes:
        size: rows and columns of the sensor S.
        pixels_per_cell: sensor pixels that one pixel of the picture covers.
        threshold: mean contrast threshold c.
        threshold_spread: standard deviation of the thresholds over the pixels.
        noise_rate: noise events per pixel and second, of either polarity (a Poisson process).
        dark: intensity of the background relative to full white.
        seed: seed of the pixels' thresholds.
    """

    size: int
    pixels_per_cell: float
    threshold: float
    threshold_spread: float
    noise_rate: float
    dark: float = 0.1
    seed: int = 0

    def record(
        self,
        pictures_NGG: Floats,
        shift_NK2: Floats,
        time_K: NDArray[np.int64],
        generators: Sequence[np.random.Generator],
    ) -> list[Events]:
        """Records pictures along paths.

        Args:
            pictures_NGG: intensities from 0 to 1.
            shift_NK2: where the picture's centre is at each moment, (x, y) in sensor pixels from the middle.
            time_K: the moments in microseconds, increasing; the first one only sets the levels.
            generators: a generator for each recording's noise.
        """
        log_NKSS = np.log(self.dark + self._project(pictures_NGG, shift_NK2))
        recording, x, y, p, t = self._cross_thresholds(log_NKSS, time_K)
        noise = [self._noise(generator, int(time_K[-1])) for generator in generators]
        which = np.repeat(np.arange(len(noise)), [len(events) for events in noise])
        recording = np.concatenate((recording, which))
        x = np.concatenate((x, *(events.x for events in noise)))
        y = np.concatenate((y, *(events.y for events in noise)))
        p = np.concatenate((p, *(events.p for events in noise)))
        t = np.concatenate((t, *(events.t for events in noise)))
        pixel = (y * self.size + x) * 2 + p
        order = np.lexsort((pixel, t, recording))
        ends = np.cumsum(np.bincount(recording, minlength=len(noise)))[:-1]
        columns = (np.split(column[order], ends) for column in (x, y, p, t))
        return [Events(*one) for one in zip(*columns, strict=True)]

    def _project(self, pictures_NGG: Floats, shift_NK2: Floats) -> Floats:
        """Intensities on the sensor [N, K, S, S], blurred by the optics: a cubic B-spline in x and in y."""
        cells = pictures_NGG.shape[-1]
        pixel_S = np.arange(self.size) - (self.size - 1) / 2
        cell_G = np.arange(cells) - (cells - 1) / 2

        def weights(shift_NK: Floats) -> Floats:
            place_NKS = (pixel_S - shift_NK[..., None]) / self.pixels_per_cell
            return _cubic_spline(place_NKS[..., None] - cell_G)

        rows_NKSG = weights(shift_NK2[..., 1])
        columns_NKSG = weights(shift_NK2[..., 0])
        return np.asarray(rows_NKSG @ pictures_NGG[:, None] @ columns_NKSG.swapaxes(-1, -2))

    def _cross_thresholds(self, log_NKSS: Floats, time_K: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The columns recording, x, y, p, t of all events without noise."""
        generator = np.random.default_rng(self.seed)
        spread_SS = self.threshold_spread * generator.standard_normal((self.size, self.size))
        threshold_SS = np.maximum(self.threshold + spread_SS, 0.2 * self.threshold)
        level_NSS = log_NKSS[:, 0].copy()
        found: list[list[NDArray[np.int64]]] = []
        for k in range(1, len(time_K)):
            before_NSS, now_NSS = log_NKSS[:, k - 1], log_NKSS[:, k]
            crossed_NSS = np.trunc((now_NSS - level_NSS) / threshold_SS)
            many = np.abs(crossed_NSS)
            recording, y, x = np.nonzero(many)
            repeat = many[recording, y, x].astype(np.int64)
            sign = np.sign(crossed_NSS[recording, y, x])
            step = np.repeat(sign * threshold_SS[y, x], repeat)
            last = np.cumsum(repeat)
            nth = np.arange(1, repeat.sum() + 1) - np.repeat(last - repeat, repeat)
            recording, y, x, sign = (np.repeat(column, repeat) for column in (recording, y, x, sign))
            start = before_NSS[recording, y, x]
            progress = (level_NSS[recording, y, x] + nth * step - start) / (now_NSS[recording, y, x] - start)
            duration = time_K[k] - time_K[k - 1]
            t = time_K[k - 1] + np.floor(np.clip(progress, 0, 1) * duration).astype(np.int64)
            found.append([recording, x, y, (sign > 0).astype(np.int64), t])
            level_NSS += crossed_NSS * threshold_SS
        return [np.concatenate(column) for column in zip(*found, strict=True)]

    def _noise(self, generator: np.random.Generator, duration: int) -> Events:
        count = generator.poisson(self.noise_rate * self.size**2 * duration / 1e6)
        x, y = generator.integers(self.size, size=(2, count))
        return Events(x, y, generator.integers(2, size=count), generator.integers(duration, size=count))


def saccades(
    amplitude_N: Floats, start_N2: Floats, moments: int, duration: int
) -> tuple[Floats, NDArray[np.int64]]:
    """A triangular path of three straight saccades of equal duration, as in N-MNIST (Orchard et al. 2015).

    Args:
        amplitude_N: height of the triangle, and length of its base, in sensor pixels.
        start_N2: where each path starts and ends.
        moments: sampled moments per saccade.
        duration: of one saccade in microseconds.

    Returns:
        Shifts [N, K, 2] and moments [K] in microseconds, K = 3 * moments + 1.
    """
    corners = np.array([[0.0, 0.0], [0.5, 1.0], [1.0, 0.0], [0.0, 0.0]])
    at = np.linspace(0, 3, 3 * moments + 1)
    path_K2 = np.stack([np.interp(at, np.arange(4), corners[:, axis]) for axis in (0, 1)], axis=1)
    middle = corners.min(0) + np.ptp(corners, axis=0) / 2
    shift_NK2 = start_N2[:, None] + amplitude_N[:, None, None] * (path_K2 - middle)
    return shift_NK2, np.round(at * duration).astype(np.int64)


def _cubic_spline(distance: Floats) -> Floats:
    """The cubic B-spline kernel: a smooth bump of width 4 whose shifts by 1 sum to 1."""
    far = np.clip(2 - np.abs(distance), 0, None)
    near = np.clip(1 - np.abs(distance), 0, None)
    return np.asarray(far**3 - 4 * near**3) / 6
