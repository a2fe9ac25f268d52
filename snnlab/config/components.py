"""Checks the component of each kind against its constructor's signature, read from source."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from snnlab.config.problems import MISSING, Problems
from snnlab.config.schema import Component
from snnlab.config.signature import Key, read_component
from snnlab.config.suggest import did_you_mean
from snnlab.config.types import MismatchError
from snnlab.errors import ConfigError
from snnlab.ranges import Default
from snnlab.registry import KINDS, SEVERAL, component_files

Files = Mapping[str, tuple[str, Path]]


def chosen_keys(mapping: Mapping[str, Any]) -> dict[str, Collection[str]]:
    """The keys of the components chosen by an unchecked config; components that cannot be read are skipped."""
    found: dict[str, Collection[str]] = {}
    plugins = mapping.get("plugins")
    plugins = tuple(map(str, plugins)) if isinstance(plugins, list | tuple) else ()
    for kind in KINDS:
        name = values.get("name") if isinstance(values := mapping.get(kind), Mapping) else None
        with suppress(ConfigError):
            files = component_files(kind, plugins)
            if kind not in SEVERAL and name in files:
                found[kind] = read_component(files[name][1]).keys
    return found


def check_residual_neuron(
    values: Any, model: Component | None, plugins: tuple[str, ...], problems: Problems
) -> Component | None:
    """Checks the neuron behind residual additions: null, a name, or `{name, ...}`."""
    if values is None:
        return None
    models = component_files("model", plugins)
    if model is not None and not _takes_residual_neuron(models[model.name][1]):
        those = ", ".join(name for name, (_, file) in models.items() if _takes_residual_neuron(file))
        problems.add(
            "residual_neuron",
            f"model '{model.name}' has no neuron behind a residual addition",
            f"models that have: {those}; or residual_neuron=null",
        )
        return None
    if not isinstance(values, Mapping):
        values = {"name": values}
    params = {key: value for key, value in values.items() if key != "name"}
    name = str(values.get("name", ""))
    return _check("neuron", "residual_neuron", name, params, component_files("neuron", plugins), problems)


def _takes_residual_neuron(file: Path) -> bool:
    return "residual_neuron" in read_component(file).injected


def check_component(kind: str, values: Any, plugins: tuple[str, ...], problems: Problems) -> Component | None:
    """Checks `{name, ...}` of one kind; problems are collected, not raised."""
    files = component_files(kind, plugins)
    choices = f"one of: {', '.join(files)}"
    if values in (MISSING, None, {}):
        problems.add(kind, "nothing is chosen", f"{kind}=<name>, {choices}")
        return None
    if not isinstance(values, Mapping):
        problems.add(kind, f"expected a mapping with a name, got {values!r}", f"{kind}=<name>, {choices}")
        return None
    name = str(values.get("name", ""))
    if f"{kind}.name" in problems.origins.by_hand:
        problems.add(f"{kind}.name", "a component is chosen by its kind", f"write {kind}={name}")
        return None
    return _check(
        kind, kind, name, {key: one for key, one in values.items() if key != "name"}, files, problems
    )


def check_several(
    kind: str, values: Any, plugins: tuple[str, ...], problems: Problems
) -> tuple[Component, ...]:
    """Checks the ordered mapping from name to keys of a kind such as `augment`; null switches one off."""
    if not isinstance(values, Mapping):
        problems.add(kind, f"expected names with their keys, got {values!r}", f"snnlab list {kind}")
        return ()
    files = component_files(kind, plugins)
    found = []
    for name, params in values.items():
        path = f"{kind}.{name}"
        if params is None or path in problems.written_for:
            continue
        if isinstance(params, Mapping):
            found.append(_check(kind, path, str(name), params, files, problems))
        else:
            problems.add(path, f"expected keys, got {params!r}", f"for example {path}={{}}, or null for none")
    return tuple(one for one in found if one is not None)


def _check(
    kind: str, path: str, name: str, values: Mapping[str, Any], files: Files, problems: Problems
) -> Component | None:
    if name not in files:
        guess = did_you_mean(name, files)
        message = f"no {kind} is called '{name}'" if name else "has no name"
        own = "" if guess else "; plugins=[PACKAGE] brings those of a package of your own"
        problems.add(path, f"{message}{guess}", f"choose one of: {', '.join(files)}{own}")
        return None
    try:
        keys = read_component(files[name][1]).keys
    except ConfigError as error:
        problems.found.append(error)
        return None
    for key, value in values.items():
        if key in keys:
            continue
        if f"{path}.{key}" in problems.written_for:
            _note(problems, kind, name, f"{path}.{key}", value, "is left out for")
        else:
            _unknown(kind, name, f"{path}.{key}", str(key), keys, files, problems)
    params = {}
    for key, one in keys.items():
        value = values.get(key, one.default)
        if key in values and f"{path}.{key}" in problems.written_for:
            value = _from_another(kind, name, f"{path}.{key}", one, value, problems)
        found = problems.value(f"{path}.{key}", one, value)
        if isinstance(found, Path):
            found = Path(os.path.abspath(found.expanduser()))
        if isinstance(one.default, Default) and found == one.default:
            found = found if key in values and _is_given(kind, f"{path}.{key}", problems) else one.default
        params[key] = found
    return Component(name, params)


def _is_given(kind: str, path: str, problems: Problems) -> bool:
    """Whether someone sets a key: the command line, or a file such as an experiment, and not the component's own."""
    if path in problems.origins.by_hand:
        return True
    origin = problems.origins.of_files.get(path)
    return (
        origin is not None
        and origin.config not in ("", "config")
        and not origin.config.startswith(f"{kind}/")
    )


def _from_another(kind: str, name: str, path: str, key: Key, value: Any, problems: Problems) -> Any:
    try:
        key.type.convert(value)
    except MismatchError:
        _note(problems, kind, name, path, value, "is left out for")
        return key.default
    _note(problems, kind, name, path, value, "also holds for")
    return value


def _note(problems: Problems, kind: str, name: str, path: str, value: Any, what: str) -> None:
    problems.note(path, value, f"was written for {kind} '{problems.written_for[path]}' and {what} '{name}'")


def _unknown(
    kind: str, name: str, path: str, key: str, keys: Mapping[str, Key], files: Files, problems: Problems
) -> None:
    owners = [other for other, (_, file) in files.items() if other != name and key in _keys(file)]
    if not owners:
        problems.unknown_key(path, f"{kind} '{name}'", keys)
        return
    guess = did_you_mean(key, keys)
    message = f"{kind} '{name}' has no such key"
    hint = f"'{key}' is a key of: {', '.join(owners)}; keys of {kind} '{name}': {', '.join(keys) or 'none'}"
    problems.add(path, f"{message}{guess}", hint)


def _keys(file: Path) -> Mapping[str, Key]:
    try:
        return read_component(file).keys
    except ConfigError:
        return {}
