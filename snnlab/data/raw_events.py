"""Events as a file holds them: columns of any type of number, and what the format says about their meaning.

Shapes: E events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnlab.data.frames import Events
from snnlab.errors import DataError

Unit = Literal["s", "ms", "us", "ns"]
Column = NDArray[Any]
PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ASSUMED, _GIVEN = (0.01, 600.0), (0.0001, 86_400.0)
"""Seconds that a recording lasts where no unit is given, and at all."""
_TELLING = 8
"""Events of which it is no accident that the times of all are whole thousands."""
UNNAMED = "the columns have no names that say which of them is x, y, polarity and time"


@dataclass(frozen=True)
class RawEvents:
    """What a file holds.

    Attributes:
        x, y, p, t: columns [E].
        unit: the unit of time, where the format has one.
        sensor: rows and columns, where the file says.
    """

    x: Column
    y: Column
    p: Column
    t: Column
    unit: Unit | None = None
    sensor: tuple[int, int] | None = None


@dataclass(frozen=True)
class Meaning:
    """What the format does not say, and has to be given.

    Attributes:
        sensor: rows and columns.
        unit: the unit of time; `None`: microseconds, as long as that makes sense.
        first: index of the first pixel, 0 or 1.
        enough: a recording with fewer events is not asked how long it lasts.
    """

    sensor: tuple[int, int]
    unit: Unit | None = None
    first: int = 0
    enough: int = 2


def from_table(table: Column, columns: str | None) -> RawEvents:
    """Events from a table without names, [E, columns] or [columns, E].

    Args:
        table: numbers.
        columns: a letter for each column, such as `txyp`; `_` is a column that is left out.

    Raises:
        DataError: no columns are given, or another number of them.
    """
    if table.ndim != 2:
        raise DataError(
            f"an array of the shape {list(table.shape)} holds no events", "[events, 4] is expected"
        )
    count = 4 if columns is None else len(columns)
    if table.shape[1] != count and table.shape[0] == count:
        table = table.T
    if columns is None:
        raise DataError(f"{UNNAMED}; {_ranges(table)}", _guess(table))
    if table.shape[1] != count:
        raise DataError(
            f"{table.shape[1]} columns, and dataset.columns={columns} names {count}",
            "a letter for each: t, x, y, p, or _ for one to leave out",
        )
    x, y, p, t = (table[:, columns.index(name)] for name in "xypt")
    return RawEvents(x, y, p, t)


def seen(raw: RawEvents) -> str:
    """The largest coordinates, in words; for the question which sensor it was."""
    if not len(raw.x):
        return "it holds no events"
    return f"its events have x from {raw.x.min():g} to {raw.x.max():g} and y from {raw.y.min():g} to {raw.y.max():g}"


def as_events(raw: RawEvents, meaning: Meaning) -> Events:
    """Checked events in the order of their times, which start at 0.

    Raises:
        DataError: coordinates outside of the sensor, other polarities than 0 and 1 or -1 and 1, or times that make no
            sense in their unit; each with the numbers seen.
        ValueError: as `Events.of`.
    """
    t = _microseconds(raw, meaning)
    events = Events.of(raw.x, raw.y, _polarity(raw.p), t)
    x, y = events.x - meaning.first, events.y - meaning.first
    rows, columns = meaning.sensor
    for name, values, limit in (("x", x, columns), ("y", y, rows)):
        if len(values) and not 0 <= values.min() <= values.max() < limit:
            low, high = int(values.min()) + meaning.first, int(values.max()) + meaning.first
            raise DataError(
                f"events with {name} from {low} to {high}, and the sensor has {meaning.first} to "
                f"{limit - 1 + meaning.first}",
                "dataset.width and dataset.height are those of the sensor; dataset.columns is the order of columns, "
                "dataset.first_pixel=1 counts from 1",
            )
    order = slice(None) if (np.diff(events.t) >= 0).all() else np.argsort(events.t, kind="stable")
    return Events(x[order], y[order], events.p[order], events.t[order])


def _polarity(p: Column) -> Column:
    if p.dtype.kind == "b":
        return p.astype(np.int64)
    values = np.unique(p)
    if np.isin(values, (0, 1)).all():
        return p
    if np.isin(values, (-1, 1)).all():
        return (p > 0).astype(np.int64)
    shown = ", ".join(str(value) for value in values[:4])
    raise DataError(
        f"polarities {shown}{' and others' if len(values) > 4 else ''}, and 0 and 1, or -1 and 1, are expected",
        "dataset.columns is the order of the columns",
    )


def _microseconds(raw: RawEvents, meaning: Meaning) -> Column:
    """Times since the first one; whole microseconds."""
    t = raw.t
    if t.dtype.kind not in "biuf" or not len(t) or not np.isfinite(t).all():
        return t  # Events.of says what is wrong
    first, last = t.min(), t.max()
    unit = raw.unit or meaning.unit or "us"
    since = t - first
    if raw.unit is None and len(t) >= meaning.enough:
        _refuse_nonsense(first.item(), last.item(), unit, meaning.unit is not None)
        if meaning.unit is None:
            _refuse_two_units(since)
    per_second = PER_SECOND[unit]
    found: Column = np.rint(np.asarray(since, np.float64) * (1_000_000 / per_second))
    return found


def fitting_units(span: float) -> list[Unit]:
    """The units in which a recording of this length lasts as long as recordings are likely to."""
    shortest, longest = _ASSUMED
    return [unit for unit, per in PER_SECOND.items() if shortest <= span / per <= longest]


def _refuse_two_units(since: Column) -> None:
    """Cameras count microseconds: whole thousands are nanoseconds, or come from a slower clock; no one can tell."""
    span = since.max().item()
    if len(since) >= _TELLING and "ns" in fitting_units(span) and not (since % 1000).any():
        raise DataError(
            f"all times are whole thousands after the first: {span / 1_000_000:.3g} s if they are microseconds, "
            f"{span / 1_000_000_000:.3g} s if they are nanoseconds",
            "dataset.time_unit=us or dataset.time_unit=ns says which",
        )


def _refuse_nonsense(first: float, last: float, unit: Unit, given: bool) -> None:
    shortest, longest = _GIVEN if given else _ASSUMED
    seconds = (last - first) / PER_SECOND[unit]
    if shortest <= seconds <= longest:
        return
    fitting = [
        f"{one} ({(last - first) / PER_SECOND[one]:.3g} s)"
        for one in fitting_units(last - first)
        if one != unit
    ]
    hint = (
        f"dataset.time_unit names the unit: {' or '.join(fitting)}"
        if fitting
        else "is that the column of times?"
    )
    if not given:
        hint += "; dataset.time_unit=us if it is right"
    raise DataError(
        f"times from {first:.10g} to {last:.10g} are {seconds:.3g} s in {unit}, "
        f"{'shorter' if seconds < shortest else 'longer'} than a recording "
        f"{'can be' if given else 'is likely to be'}",
        hint,
    )


def _ranges(table: Column) -> str:
    if not table.size:
        return "it is empty"
    return ", ".join(
        f"column {k + 1}: {table[:, k].min():.6g} to {table[:, k].max():.6g}" for k in range(table.shape[1])
    )


def _guess(table: Column) -> str:
    """The order of columns that the numbers suggest, as a hint."""
    names = ["_"] * table.shape[1]
    if table.size and table.shape[1] == 4:
        polarity = [k for k in range(4) if np.isin(np.unique(table[:, k]), (-1, 0, 1)).all()]
        rising = [k for k in range(4) if k not in polarity and (np.diff(table[:, k]) >= 0).all()]
        if len(polarity) == len(rising) == 1:
            names[polarity[0]], names[rising[0]] = "p", "t"
            rest = [k for k in range(4) if names[k] == "_"]
            names[rest[0]], names[rest[1]] = "x", "y"
            return f"dataset.columns={''.join(names)} fits these numbers (or x and y the other way round)"
    return "dataset.columns=txyp, for example, is a letter for each column"


def named_columns(found: Mapping[str, Any]) -> tuple[dict[str, str], Unit | None]:
    """Which of some names are x, y, p and t, and the unit that the name of the time says.

    Returns:
        The names by letter; empty unless all four are there. `timestamps_ms` is a time in milliseconds.
    """
    columns: dict[str, str] = {}
    unit: Unit | None = None
    for name in found:
        word, _, ending = (
            name.lower().strip().replace("[", "_").replace("(", "_").rstrip("])").rpartition("_")
        )
        if ending.strip() in PER_SECOND and word.strip() in _NAMES["t"]:
            columns.setdefault("t", name)
            unit = ending.strip()  # type: ignore[assignment]
            continue
        for letter, names in _NAMES.items():
            if name.lower().strip() in names:
                columns.setdefault(letter, name)
    return (columns, unit) if len(columns) == 4 else ({}, None)


_NAMES = {
    "x": ("x", "xs", "x_pos", "x_coordinate"),
    "y": ("y", "ys", "y_pos", "y_coordinate"),
    "p": ("p", "ps", "pol", "pols", "polarity", "polarities"),
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
}
