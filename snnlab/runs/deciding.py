"""Which settings of a config decide the result of its run, and which of them differ from their default.

A setting decides unless its declaration says `Unhashed[...]`. Defaults are read from the sources: those of sections
from the dataclasses of `config/schema.py`, those of components from their constructors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snnlab.config.check import SECTIONS, section
from snnlab.config.problems import plain
from snnlab.config.signature import Key, read_component
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files
from snnlab.runs.earlier_words import in_hashed_words

UNNAMED = {"trainer.channels_last": False}
"""Values that no hash names though they are not the default: what the default was before it became `auto`."""


@dataclass(frozen=True)
class Setting:
    """A value of a config by its flat key; `key` is its declaration, None if this version has no such key."""

    path: str
    value: Any
    key: Key | None

    @property
    def decides(self) -> bool:
        """Whether the result depends on it."""
        return self.key is None or self.key.hashed

    @property
    def differs(self) -> bool:
        """Whether it is not at its default."""
        if self.key is None:
            return True
        default = plain(self.key.type.convert(self.key.default))
        return bool(self.value != UNNAMED.get(self.path, default))


def decides(path: str) -> bool:
    """Whether the result depends on a key; those of components count, whatever component is chosen."""
    group, _, name = path.partition(".")
    known = section(group if name else "").keys if group in SECTIONS or not name else {}
    key = known.get(name or group)
    return key is None or key.hashed


def choices(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The components of a config by kind: a name, or names. Only augmentations are applied in an order."""
    found: dict[str, Any] = {}
    for kind in (*KINDS, "residual_neuron"):
        chosen = raw.get(kind)
        if kind in SEVERAL:
            names = list(chosen or {})
            found[kind] = names if kind == "augment" else sorted(names)
        else:
            found[kind] = chosen["name"] if isinstance(chosen, Mapping) else chosen
    return found


def deciding(raw: Mapping[str, Any], plugins: tuple[str, ...] | None = None) -> list[Setting]:
    """The settings that the result depends on, without the names of components.

    Args:
        raw: a configuration as plain values.
        plugins: the packages whose components are looked up; None: those of a configuration that has been checked.
    """
    plugins = tuple(raw.get("plugins") or ()) if plugins is None else plugins
    return [one for one in _settings(in_hashed_words(raw), plugins) if one.decides]


def deviations(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The deciding settings that are not at their default, by flat key."""
    return {one.path: one.value for one in deciding(raw) if one.differs}


def _settings(raw: Mapping[str, Any], plugins: tuple[str, ...]) -> Iterator[Setting]:
    for key, value in raw.items():
        if key in SECTIONS:
            yield from _of_part(key, value or {}, section(key).keys)
        elif key in SEVERAL:
            for name, values in (value or {}).items():
                yield from _of_part(f"{key}.{name}", values or {}, _keys(key, name, plugins))
        elif key in KINDS or key == "residual_neuron":
            if value is not None:
                kind = key if key in KINDS else "neuron"
                values = {inner: one for inner, one in value.items() if inner != "name"}
                yield from _of_part(key, values, _keys(kind, value["name"], plugins))
        else:
            yield Setting(key, value, section("").keys.get(key))


def _of_part(path: str, values: Mapping[str, Any], keys: Mapping[str, Key]) -> Iterator[Setting]:
    return (Setting(f"{path}.{name}", value, keys.get(name)) for name, value in values.items())


def _keys(kind: str, name: str, plugins: tuple[str, ...]) -> Mapping[str, Key]:
    """A component's keys; none if it is not installed, as that of another person's run may be."""
    try:
        files = component_files(kind, plugins)
        return read_component(files[name][1]).keys if name in files else {}
    except ConfigError:
        return {}
