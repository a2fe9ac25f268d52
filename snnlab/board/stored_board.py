"""The board as JSON, and back: what a method that is measured later is compared with, without training it all again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.board.standing import GROUPS, Standing
from snnlab.errors import ConfigError
from snnlab.metric_names import OVER_TIME

CONDITIONS = ("recipe", "held-out samples", "levels of noise", "severities of corruptions")
"""The facts that have to be equal for two boards to be compared."""
READING = "cum"


def as_json(standings: Iterable[Standing], facts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The pairs that are measured: each metric of the cumulative mean at each time step, the mean over a kind's levels.

    Args:
        standings: all pairs.
        facts: what was done on what, as names and values.
    """
    pairs = [
        {"loss": one.loss, "neuron": one.neuron, "train_acc": list(one.train_acc), "seeds": _by_kind(one)}
        for one in standings
        if one.seeds
    ]
    return {"facts": dict(facts), "pairs": pairs}


def _by_kind(one: Standing) -> list[list[dict[str, Any]]]:
    kinds = [kind for group in GROUPS.values() for kind in group]
    found = []
    for rows in one.seeds:
        seed = Standing(one.loss, one.neuron, [rows], ())
        found.append(
            [
                {
                    "kind": kind,
                    **{key: [round(value, 5) for value in values] for key, values in of_kind.items()},
                }
                for kind in kinds
                if any((of_kind := _of_kind(seed, kind)).values())
            ]
        )
    return found


def _of_kind(seed: Standing, kind: str) -> dict[str, list[float]]:
    return {f"{one.key}_{READING}": seed.over_time(one.key, READING, (kind,)) for one in OVER_TIME}


def read_board(file: Path) -> tuple[list[Standing], Mapping[str, str]]:
    """The pairs of a board that was written as JSON, and its facts.

    Raises:
        ConfigError: the file is not there, or no such JSON.
    """
    hint = "snnlab board --output FILE.json writes one"
    if not file.is_file():
        raise ConfigError(f"--from: no such file: {file}", hint)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        stored = {str(name): str(value) for name, value in content["facts"].items()}
        found = [
            Standing(str(one["loss"]), str(one["neuron"]), one["seeds"], [float(x) for x in one["train_acc"]])
            for one in content["pairs"]
        ]
        as_json(found, ())
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(f"--from: {file} is no board as JSON", hint) from None
    return found, stored


def refuse_other_conditions(file: Path, stored: Mapping[str, str], facts: Sequence[tuple[str, str]]) -> None:
    """Refuses a stored board that cannot stand beside what is measured here.

    Args:
        file: that of the stored board.
        stored: its facts.
        facts: those of the board here.

    Raises:
        ConfigError: one of `CONDITIONS` is not the same.
    """
    here = dict(facts)
    for name in CONDITIONS:
        if stored.get(name) != here[name]:
            raise ConfigError(
                f"--from: {file} has other {name}: {stored.get(name)}, and here {here[name]}",
                "compare what was measured under the same conditions: leave out what changes them",
            )


def beside(here: Sequence[Standing], stored: Iterable[Standing]) -> list[Standing]:
    """The pairs asked for here, those without a measurement as stored, and then the other stored ones."""
    others = {(one.loss, one.neuron): one for one in stored}
    found = []
    for one in here:
        other = others.pop((one.loss, one.neuron), None)
        found.append(one if one.seeds or other is None else other)
    return [*found, *others.values()]
