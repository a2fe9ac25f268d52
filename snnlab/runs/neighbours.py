"""The settings in which a run differs from the other runs of its experiment."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.registry import KINDS
from snnlab.runs.deciding import choices, deviations
from snnlab.runs.overview import RunLine

# `<variant>-<hash>/seed<k>`: the runs of such a folder differ in their seed only.
VARIANT, SEED = re.compile(r".*-[0-9a-f]{8}"), re.compile(r"seed\d+")


def differences(lines: Sequence[RunLine]) -> dict[Path, dict[str, str]]:
    """For each run the settings that not all runs of its experiment share, as a user would type them.

    Those of a component that only some of the runs have are there where they are not at their default.
    """
    groups: dict[Path, list[RunLine]] = {}
    for line in lines:
        groups.setdefault(line.folder.parent.parent, []).append(line)
    known: dict[Path, Mapping[str, Any]] = {}
    return {
        folder: found
        for members in groups.values()
        for folder, found in _in_group([one for one in members if one.config], known).items()
    }


def _in_group(lines: Sequence[RunLine], known: dict[Path, Mapping[str, Any]]) -> dict[Path, dict[str, str]]:
    if len(lines) < 2:
        return {}
    settings = {one.folder: _settings(one, known) for one in lines}
    keys = dict.fromkeys(key for found in settings.values() for key in found)
    apart = [key for key in keys if len({_text(found.get(key)) for found in settings.values()}) > 1]
    shown = {}
    for one in lines:
        found = settings[one.folder]
        values = {key: found[key] if key in found else _at_default(one.config, key) for key in apart}
        shown[one.folder] = {key: _text(value) for key, value in values.items() if value is not _ABSENT}
    return shown


def _settings(line: RunLine, known: dict[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """The components, what is not at its default, and the seed."""
    variant = line.folder.parent
    if variant in known:
        shared = known[variant]
    else:
        shared = _of_variant(line.config)
        if VARIANT.fullmatch(variant.name) and SEED.fullmatch(line.folder.name):
            known[variant] = shared
    return {**shared, "seed": line.config.get("seed")}


def _of_variant(config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        chosen = {
            kind: "+".join(found) or "none" if isinstance(found, list) else found
            for kind, found in choices(config).items()
        }
        return {**chosen, **deviations(config)}
    # Of somebody else's or an edited file, which has the outline of a configuration and no more.
    except (AttributeError, KeyError, TypeError, ValueError):
        return {kind: (config.get(kind) or {}).get("name") for kind in KINDS if _is_component(config, kind)}


def _is_component(config: Mapping[str, Any], kind: str) -> bool:
    return isinstance(config.get(kind), Mapping) and "name" in config[kind]


_ABSENT = object()


def _at_default(config: Mapping[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    return "null" if value is None else str(value)
