"""Collects the problems and notes of a config, with the origin of each value."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import Any

from snnlab.config.example import as_override, example_of
from snnlab.config.origins import Origins
from snnlab.config.other_names import other_key
from snnlab.config.signature import Key
from snnlab.config.suggest import did_you_mean, was_it
from snnlab.config.types import MismatchError
from snnlab.errors import ConfigError
from snnlab.ranges import Default

MISSING = "???"
SOME = 2  # suggestions that one line holds


class Problems:
    """The problems and notes of one config, in the order in which they were found.

    Args:
        origins: where each flat key was set.
        written_for: flat keys that a file sets for a component which has been replaced, with that component.
        find_homes: computes `homes`, on the first unknown key.

    Attributes:
        homes: the keys of each section and chosen component.
    """

    def __init__(
        self,
        origins: Origins,
        written_for: Mapping[str, str],
        find_homes: Callable[[], Mapping[str, Collection[str]]] = dict,
    ) -> None:
        self.origins = origins
        self.written_for = written_for
        self._find_homes = find_homes
        self.found: list[ConfigError] = []
        self.notes: list[str] = []

    @cached_property
    def homes(self) -> Mapping[str, Collection[str]]:
        return self._find_homes()

    def places(self, key: str) -> list[str]:
        """Where a key of this name stands, such as `optimizer.lr`."""
        return [f"{home}.{key}" for home, keys in self.homes.items() if key in keys]

    def similar_places(self, key: str) -> list[str]:
        """Where keys stand that have this name at their end, such as `trainer.data_on_device` for `on_device`.

        A single word, such as `size`, ends too many keys.
        """
        if "_" not in key:
            return []
        known = dict.fromkeys(chain.from_iterable(self.homes.values()))
        return [place for one in known if one.endswith(f"_{key}") for place in self.places(one)][:SOME]

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Adds a problem; if a file set the value, the hint begins with that file."""
        origin = self.origins.get(path)
        if origin is not None and not origin.by_hand:
            hint = f"set in {origin.text}; {hint}" if hint else f"set in {origin.text}"
        self.found.append(ConfigError(f"{path}: {message}", hint))

    def unknown_key(self, path: str, what: str, keys: Iterable[str]) -> None:
        """Adds the problem of an unknown key; `what` describes the owner, `keys` are the keys it has."""
        keys = list(keys)
        name = path.rpartition(".")[2]
        other = other_key(name)
        guess = (
            was_it([other])
            if other
            else (did_you_mean(name, keys) or was_it(self.places(name) or self.similar_places(name)))
        )
        self.add(path, f"unknown key{guess}", f"keys of {what}: {', '.join(keys) or 'none'}")

    def value(self, path: str, key: Key, value: Any) -> Any:
        """Converts a value to its type; on failure adds a problem and returns None."""
        if isinstance(value, str) and value == MISSING:
            self.add(path, "missing", f"expected {key.type}; set it with {path}=<value>")
            return None
        try:
            return key.type.convert(value)
        except MismatchError as error:
            self.add(path, error.message, error.hint or _hint(path, key, value))
            return None

    def note(self, path: str, value: Any, text: str) -> None:
        """Adds a remark on a value."""
        self.notes.append(f"{path}={as_override(value)} ({self.origins[path].text}) {text}")


def _hint(path: str, key: Key, value: Any) -> str:
    counted = re.fullmatch(r"(\d+)(?:\.\.\.?|:|-)(\d+)", value) if isinstance(value, str) else None
    if counted:
        return f"one run takes one value; several runs: train -m '{path}=range({counted[1]},{int(counted[2]) + 1})'"
    return f"for example {path}={example_of(key)}"


def plain(value: Any) -> Any:
    """A checked value as plain JSON or YAML: tuples become lists, paths become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Default):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)
