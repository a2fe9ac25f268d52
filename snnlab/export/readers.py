"""The packages that read NIR files, and what each takes for the length of a time step. No torch."""

from typing import Literal

Reader = Literal["any", "spikingjelly", "snntorch", "norse", "sinabs"]

STEPS: dict[Reader, float] = {"any": 1e-4, "spikingjelly": 1e-4, "snntorch": 1e-4, "norse": 1e-3}
"""Seconds for which a reader takes a time step, unless it is told another (snntorch cannot be told)."""

ABOVE: tuple[Reader, ...] = ("snntorch", "norse")
"""Readers whose neurons fire above their threshold, and not at it."""

_CALLS: dict[Reader, str] = {
    "spikingjelly": "import_from_nir(file, dt={dt:g})",
    "norse": "norse.torch.from_nir(nir.read(file), dt={dt:g})",
}


def step_of(reader: Reader, dt: float | None) -> float:
    """Returns the length of a time step in a file: the one that is asked for, or the reader's.

    Raises:
        ValueError: the reader cannot take that step, or no network with a hard reset.
    """
    if reader == "sinabs":
        raise ValueError(
            "sinabs reads no hard reset: its neurons subtract the threshold when they fire, whatever v_reset is"
        )
    if reader == "snntorch" and dt is not None and dt != STEPS["snntorch"]:
        raise ValueError(
            f"snntorch takes a time step for {STEPS['snntorch']:g} s in every file, not for {dt:g} s"
        )
    return STEPS[reader] if dt is None else dt


def advice(reader: Reader, dt: float) -> str:
    """Returns a sentence on how a file has to be read for its time step to be the one that was written."""
    if reader == "snntorch":
        return "snntorch.import_nir.import_from_nir(nir.read(file)) reads it."
    if reader != "any":
        return f"Read it with {_CALLS[reader].format(dt=dt)}; {reader}'s own step is {STEPS[reader]:g} s."
    told = f"spikingjelly's own step is {STEPS['spikingjelly']:g} s: {_CALLS['spikingjelly'].format(dt=dt)}."
    fixed = "snntorch takes every step for 0.0001 s"
    if dt == STEPS["snntorch"]:
        return f"No reader takes the step from the file. {told} {fixed}, which is this one."
    return (
        f"No reader takes the step from the file. {told} {fixed}, and would read other decays from this one."
    )
