"""Checks a composed mapping and returns a frozen RunConfig, or raises all problems found. Imports no torch.

Components are checked against their constructors' signatures, the rest against the dataclasses of `schema`.
"""

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from snnlab.config import measurements, schema
from snnlab.config.automatic import LAYOUT, chosen_layout
from snnlab.config.components import check_component, check_residual_neuron, check_several, chosen_keys
from snnlab.config.origins import Origins
from snnlab.config.other_names import other_key
from snnlab.config.problems import Problems, plain
from snnlab.config.signature import Signature, read_dataclass
from snnlab.config.suggest import closest, was_it
from snnlab.config.trust import plugins_named, refuse_unnamed
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files

SECTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "init": schema.InitConfig,
        "distill": schema.DistillConfig,
        "trainer": schema.TrainerConfig,
        "logger": schema.LoggerConfig,
        "plots": schema.PlotsConfig,
        "paths": schema.PathsConfig,
    }
)


def check(
    mapping: Mapping[str, Any],
    origins: Origins | None = None,
    *,
    overrides: Sequence[str] = (),
    written_for: Mapping[str, str] | None = None,
    makers: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
    named: Collection[str] = (),
) -> schema.RunConfig:
    """Checks every value of a composed, resolved mapping.

    Args:
        mapping: the config as plain nested values.
        origins: where each flat key was set.
        overrides: the command line's overrides, kept in the result.
        written_for: flat keys that a file sets for a component which has been replaced, with that component.
            They are dropped, with a note, if the chosen component does not have them.
        makers: functions that build a section in place of its dataclass, such as one that adds the hash of weights.
        named: packages that the command line names elsewhere than in these overrides, as those of a student.

    Raises:
        ConfigError: the first problem, with all of them in its `problems`.
    """
    origins = Origins() if origins is None else origins
    if plugins := mapping.get("plugins"):
        place = origins.get("plugins")
        refuse_unnamed(
            plugins, {*named, *plugins_named(overrides)}, "the configuration" if place is None else place.text
        )
    problems = Problems(origins, written_for or {}, lambda: _second_level(mapping))
    values = _top_level(mapping, problems, makers)
    config = None
    if not problems.found:
        chosen = _choose(values)
        try:
            config = schema.RunConfig(
                **values,
                overrides=tuple(overrides),
                notes=tuple(problems.notes),
                raw=_raw(values),
                chosen=chosen,
            )
        except ConfigError as error:
            problems.found.append(error)
    if config is None:
        raise ConfigError.first_of(problems.found)
    return config


def check_section(name: str, make: Callable[..., Any], values: Mapping[str, Any], origins: Origins) -> Any:
    """Checks a section that does not belong to a run, such as `early_exit` of `snnlab eval`; returns its dataclass.

    Args:
        name: name of the section.
        make: its dataclass in `measurements`.
        values: the given values by key; other keys take their defaults.
        origins: where each flat key was set.

    Raises:
        ConfigError: the first problem, with all of them in its `problems`.
    """
    problems = Problems(origins, {})
    found = _section(name, values, problems, make)
    if problems.found:
        raise ConfigError.first_of(problems.found)
    return found


def section(name: str) -> Signature:
    """The keys of a section such as `trainer`; for an empty name, those at the top level that hold plain values."""
    words = "".join(word.capitalize() for word in name.split("_"))
    class_name = f"{words}Config" if name else "RunLevel"
    found = getattr(schema, class_name, None) or getattr(measurements, class_name)
    return read_dataclass(Path(inspect.getfile(found)), class_name)


def top_level_keys() -> list[str]:
    """The keys that a config has at its top level."""
    return [*section("").keys, *KINDS, "residual_neuron", *SECTIONS]


def unknown_key(mapping: Mapping[str, Any], key: str) -> ConfigError | None:
    """What is to be said about a key that a config with these components does not have; None if it may have it.

    Args:
        mapping: the config as plain nested values, unchecked.
        key: a flat key, such as `optimizer.lr`.
    """
    problems = Problems(Origins(), {}, lambda: _second_level(mapping))
    head, _, rest = key.partition(".")
    keys = problems.homes.get(head)
    if head not in top_level_keys():
        _unknown_top_level(head, problems)
    elif rest and keys is not None and rest.partition(".")[0] not in keys:
        owner = f"{head} '{mapping[head]['name']}'" if head in KINDS else head
        problems.unknown_key(key, owner, keys)
    return problems.found[0] if problems.found else None


def _top_level(
    mapping: Mapping[str, Any], problems: Problems, makers: Mapping[str, Callable[..., Any]]
) -> dict[str, Any]:
    for key in mapping:
        if key not in top_level_keys():
            _unknown_top_level(str(key), problems)
    values: dict[str, Any] = {}
    for key, one in section("").keys.items():
        values[key] = problems.value(key, one, mapping.get(key, one.default))
    plugins = values["plugins"] or ()
    try:
        component_files("neuron", plugins)
    except ConfigError as error:
        problems.found.append(error)
        return values
    for kind in KINDS:
        if kind in SEVERAL:
            values[kind] = check_several(kind, mapping.get(kind) or {}, plugins, problems)
        else:
            values[kind] = check_component(kind, mapping.get(kind), plugins, problems)
    values["residual_neuron"] = check_residual_neuron(
        mapping.get("residual_neuron"), values["model"], plugins, problems
    )
    for name in SECTIONS:
        values[name] = _section(name, mapping.get(name) or {}, problems, makers.get(name, SECTIONS[name]))
    return values


def _choose(values: dict[str, Any]) -> dict[str, Any]:
    """Replaces `auto` where it changes digits; returns what it stands for, by key."""
    trainer = values["trainer"]
    if trainer.channels_last != "auto":
        return {}
    _, model = component_files("model", values["plugins"])[values["model"].name]
    found = chosen_layout(trainer, model)
    values["trainer"] = replace(trainer, channels_last=found)
    return {LAYOUT: found}


def _section(name: str, values: Any, problems: Problems, make: Callable[..., Any]) -> Any:
    if not isinstance(values, Mapping):
        problems.add(name, f"expected keys with values, got {values!r}", f"write {name}.<key>=<value>")
        return None
    before = len(problems.found)
    keys = section(name).keys
    for key in values:
        if key not in keys:
            problems.unknown_key(f"{name}.{key}", name, keys)
    found = {
        key: problems.value(f"{name}.{key}", one, values.get(key, one.default)) for key, one in keys.items()
    }
    for key, value in found.items():
        if isinstance(value, Path):
            found[key] = Path(os.path.abspath(value.expanduser()))
    if len(problems.found) > before:
        return None
    try:
        return make(**found)
    except ConfigError as error:
        path, _, message = error.message.partition(": ")
        problems.add(path, message, error.hint)
        return None


def _second_level(mapping: Mapping[str, Any]) -> dict[str, Collection[str]]:
    """The keys of the sections and of the chosen components."""
    return {name: section(name).keys for name in SECTIONS} | chosen_keys(mapping)


def _unknown_top_level(key: str, problems: Problems) -> None:
    known = top_level_keys()
    other = other_key(key)
    found = [other] if other else problems.places(key) or problems.similar_places(key)
    if key.lower() == "num_classes":
        problems.add(
            key, "no setting: the data set says it", "snnlab data verify NAME prints the number of classes"
        )
        return
    if not found:
        # There are many keys, so only a close match is suggested.
        below = dict.fromkeys(chain.from_iterable(problems.homes.values()))
        near = closest(key, [*known, *below], cutoff=0.7) or closest(key, known) or ""
        found = [near] if near in known else problems.places(near)
    hint = f"write {found[0]}=<value>; " if found and "." in found[0] else ""
    problems.add(key, f"unknown key{was_it(found)}", f"{hint}top-level keys: {', '.join(known)}")


def _raw(values: Mapping[str, Any]) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for key, value in values.items():
        if key in SEVERAL:
            raw[key] = {one.name: plain(one.params) for one in value}
        elif isinstance(value, schema.Component):
            raw[key] = {"name": value.name, **plain(value.params)}
        else:
            raw[key] = plain(vars(value) if key in SECTIONS else value)
    return raw
