"""Where each value of a composed config came from: a line of a YAML file, or the command line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Origin:
    """The place that set a value last.

    Args:
        text: as shown to the user, such as `conf/neuron/lif.yaml:3`.
        config: the config's name inside the search path, such as `neuron/lif`; empty for the command line.
    """

    text: str
    config: str = ""

    @property
    def by_hand(self) -> bool:
        """True for the command line, False for a file."""
        return not self.config


COMMAND_LINE = Origin("command line")


class Origins(Mapping[str, Origin]):
    """Origins by flat key, computed on first access: they are needed for error messages and `snnlab show` only.

    Args:
        find: computes the origins of the keys that files set.
        by_hand: the keys that the command line sets.
    """

    def __init__(self, find: Callable[[], Mapping[str, Origin]] = dict, by_hand: Iterable[str] = ()) -> None:
        self._find = find
        self.by_hand = frozenset(by_hand)

    @cached_property
    def of_files(self) -> Mapping[str, Origin]:
        """The last file that sets each key, whether or not the command line sets it too."""
        return self._find()

    @cached_property
    def _all(self) -> Mapping[str, Origin]:
        return {**self.of_files, **dict.fromkeys(self.by_hand, COMMAND_LINE)}

    def __getitem__(self, path: str) -> Origin:
        return self._all[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


@cache
def keys_of_file(file: Path) -> tuple[tuple[str, int], ...]:
    """The flat keys that a YAML file sets, each with its line; the defaults list does not count."""
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return tuple(_walk(node, "")) if isinstance(node, yaml.MappingNode) else ()


@cache
def choices_of_file(file: Path) -> Mapping[str, str]:
    """The groups that a file's defaults list chooses, such as loss: tet for `override /loss: tet`."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    defaults = content.get("defaults", []) if isinstance(content, Mapping) else []
    chosen = {}
    for entry in defaults:
        for key, choice in entry.items() if isinstance(entry, Mapping) else ():
            if str(key).startswith("override "):
                chosen[str(key).removeprefix("override ").strip().lstrip("/")] = str(choice)
    return chosen


def _walk(node: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, int]]:
    for key, value in node.value:
        if not prefix and key.value == "defaults":
            continue
        path = f"{prefix}{key.value}"
        yield path, key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            yield from _walk(value, f"{path}.")


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a nested mapping by dotted key; an empty mapping is a leaf."""
    for key, value in mapping.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{path}.")
        else:
            yield path, value
