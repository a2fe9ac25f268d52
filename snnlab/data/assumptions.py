"""What is taken for granted about a recording of one's own, in words: the unit of time, and whom to believe."""

from snnlab.data.raw_events import PER_SECOND, Meaning, RawEvents, fitting_units


def assumptions(raw: RawEvents, meaning: Meaning, name: str) -> list[str]:
    """A sentence for each thing that the file does not say, or says otherwise than the settings.

    Args:
        raw: what the file holds.
        meaning: what is given.
        name: of the file.
    """
    found = []
    if raw.unit is not None and meaning.unit not in (None, raw.unit):
        found.append(
            f"{name} says that its times are in {raw.unit}; dataset.time_unit={meaning.unit} is not used for it"
        )
    if raw.unit is None and meaning.unit is None and len(raw.t) >= meaning.enough:
        span = float(raw.t.max() - raw.t.min())
        others = [unit for unit in fitting_units(span) if unit != "us"]
        otherwise = "; ".join(
            f"{span / PER_SECOND[unit]:.3g} s with dataset.time_unit={unit}" for unit in others
        )
        found.append(
            f"no unit of time is given, microseconds are assumed: {name} lasts {span / 1_000_000:.3g} s"
            f"{f' ({otherwise})' if others else ''}"
        )
    if raw.sensor is not None and raw.sensor != meaning.sensor:
        (rows, columns), (height, width) = raw.sensor, meaning.sensor
        found.append(
            f"{name} says that its sensor has {columns} x {rows} pixels; {width} x {height} are taken"
        )
    return found
