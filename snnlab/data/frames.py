"""Events to frames: how a recording becomes T pictures of event counts.

Shapes: E events, T frames (time steps), H height, W width. Channel 0 counts OFF events, channel 1 ON events.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

By = Literal["number", "time", "duration"]
Values = Literal["counts", "binary"]
Tail = Literal["keep", "drop"]
Scale = Literal["counts", "max", "clip"]
# Integers of this size and below are exact as float64, and differences of two fit into an int64.
_LARGEST = 2**53


@dataclass(frozen=True)
class Events:
    """The events of one recording, in recorded order.

    Attributes:
        x: columns [E].
        y: rows [E], from the top.
        p: polarity [E], 0 OFF and 1 ON.
        t: time [E] in microseconds.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    p: NDArray[np.int64]
    t: NDArray[np.int64]

    def __post_init__(self) -> None:
        columns = (self.x, self.y, self.p, self.t)
        if any(column.dtype != np.int64 or column.shape != self.t.shape for column in columns):
            raise ValueError("events are four int64 columns of equal length; Events.of converts others")

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, x: ArrayLike, y: ArrayLike, p: ArrayLike, t: ArrayLike) -> "Events":
        """Events from columns of any type of number; fractions of a microsecond are cut off.

        Raises:
            ValueError: columns of other shapes than [E], values that are NaN, infinite or no numbers, coordinates
                and polarities with a fraction, or values of 2**53 and above.
        """
        columns = {name: np.asarray(column) for name, column in (("x", x), ("y", y), ("p", p), ("t", t))}
        shapes = {column.shape for column in columns.values()}
        if len(shapes) > 1 or columns["t"].ndim != 1:
            raise ValueError(
                f"columns of the shapes {', '.join(str(list(c.shape)) for c in columns.values())}"
            )
        return cls(*(_whole(name, column) for name, column in columns.items()))


@dataclass(frozen=True)
class Framing:
    """How events are cut into frames.

    Attributes:
        num_steps: number of frames T.
        by: `number`: every frame holds E // T events; `time`: every frame lasts (t_last - t_first) / T;
            `duration`: every frame lasts `duration_ms`, from the first event on; later events are
            left out.
        duration_ms: length of a frame for `duration`, in milliseconds.
        values: `counts`, or `binary`: whether there was an event at all.
        tail: for `number`, what happens to the E % T events at the end: `keep` adds them to the last frame
            (spikingjelly), `drop` leaves them out (TET's released preprocessing).
    """

    num_steps: int
    by: By = "number"
    duration_ms: float = 30.0
    values: Values = "counts"
    tail: Tail = "keep"

    def __post_init__(self) -> None:
        if self.num_steps < 1:
            raise ValueError(f"num_steps must be at least 1, got {self.num_steps}")
        if self.duration_ms <= 0:
            raise ValueError(f"duration_ms must be positive, got {self.duration_ms}")

    def parameters(self) -> dict[str, object]:
        """The settings that the frames depend on, for the cache's name and manifest."""
        found: dict[str, object] = {"num_steps": self.num_steps, "by": self.by, "values": self.values}
        if self.by == "duration":
            found["duration_ms"] = float(self.duration_ms)
        if self.by == "number":
            found["tail"] = self.tail
        return found


def integrate(events: Events, framing: Framing, height: int, width: int) -> NDArray[np.uint8]:
    """Counts events per frame, polarity and pixel: uint8 [T, 2, H, W].

    A count above 255 is stored as 255.

    Raises:
        ValueError: an event lies outside of the sensor, a polarity is neither 0 nor 1, or the events last so long
            that their times cannot be counted.
    """
    _check(events, height, width)
    slices, kept = _slice_of_event(events, framing)
    pixel = ((slices * 2 + events.p[kept]) * height + events.y[kept]) * width + events.x[kept]
    shape = (framing.num_steps, 2, height, width)
    counts = np.bincount(pixel, minlength=framing.num_steps * 2 * height * width).reshape(shape)
    return np.minimum(counts, 1 if framing.values == "binary" else 255).astype(np.uint8)


def frames_to_float(raw: Tensor, scale: Scale) -> Tensor:
    """Stored frames [..., 2, H, W] as float32 at the same size.

    Args:
        raw: uint8 counts.
        scale: `counts` as they are; `max`: each frame divided by its largest count over both polarities (an
            empty frame stays empty); `clip`: at most 1.
    """
    if scale == "clip":
        return raw.clamp(max=1).to(torch.float32)
    x = raw.to(torch.float32)
    if scale == "max":
        x = x / x.amax(dim=(-3, -2, -1), keepdim=True).clamp_min(1)
    return x


def _slice_of_event(events: Events, framing: Framing) -> tuple[NDArray[np.int64], slice | NDArray[np.bool_]]:
    """The frame of every kept event, and which events are kept."""
    count, steps = len(events), framing.num_steps
    everything = slice(None)
    if count == 0:
        return np.zeros(0, np.int64), everything
    if framing.by == "number":
        per_slice = count // steps
        if framing.tail == "drop":
            kept = slice(0, per_slice * steps)
            return np.repeat(np.arange(steps), per_slice), kept
        slices = np.full(count, steps - 1)
        slices[: per_slice * steps] = np.repeat(np.arange(steps), per_slice)
        return slices, everything
    since = events.t - events.t.min()
    if int(since.max()) > np.iinfo(np.int64).max // steps:
        raise ValueError(f"events over {int(since.max())} microseconds, too long for {steps} frames")
    if framing.by == "time":
        # Integers only: frame i is [i L / T, (i + 1) L / T) exactly, and the last frame includes its end.
        length = max(int(since.max()), 1)
        return np.minimum(since * steps // length, steps - 1), everything
    slices = since // max(round(framing.duration_ms * 1000), 1)
    inside = slices < steps
    return slices[inside], inside


def _check(events: Events, height: int, width: int) -> None:
    if len(events) == 0:
        return
    for name, values, limit in (("x", events.x, width), ("y", events.y, height), ("p", events.p, 2)):
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= limit:
            raise ValueError(f"events with {name} from {low} to {high}, but the sensor has 0 to {limit - 1}")


def _whole(name: str, column: NDArray[Any]) -> NDArray[np.int64]:
    """A column of numbers as int64, if that loses nothing but fractions of a microsecond."""
    if column.dtype.kind not in "biuf":
        raise ValueError(f"events with {name} of type {column.dtype}")
    if column.dtype.kind == "f":
        if not np.isfinite(column).all():
            raise ValueError(f"events with {name} that is NaN or infinite")
        if name != "t" and (column != np.floor(column)).any():
            raise ValueError(f"events with {name} that is no whole number")
    if column.dtype.kind != "b" and len(column):
        low, high = column.min().item(), column.max().item()
        if low <= -_LARGEST or high >= _LARGEST:
            raise ValueError(f"events with {name} from {low:.6g} to {high:.6g}")
    return column.astype(np.int64)
