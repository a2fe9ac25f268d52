"""Reads the command line's overrides and rewrites them to the form that Hydra accepts.

Users may write `experiment=x` or `+experiment=x`, `neuron=lif` or `+neuron=lif`; Hydra accepts only one form of each.
Values become `++key=value`, so that an unknown key reaches our checker, whose message is better than "use +key".
"""

import os
import re
import shlex
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException

from snnlab.config.quoting import on_shell, quoted
from snnlab.config.search import SearchPath
from snnlab.config.suggest import choices_hint, closest, unknown_choice
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files

NUMBER = re.compile(r"nan|inf|[-+]?[\d.]+(e[-+]?\d+)?", re.IGNORECASE)
# Hydra merges appended groups in the order given: an experiment first, a debug mode last.
# The others, such as hydra.run.dir, would have no effect; callbacks and logging are refused by name.
_HOME = re.compile(r"([^=\s]+=)(~(?:/[^,\[\]{}]*)?)")
_LISTED = re.compile(r"[(\[{]?([\w.+-]+(?:\s*[;,]\s*[\w.+-]+)+)[)\]}]?")
_YAML = re.compile(r"\.yaml(?=['\"\s]*(?:[,\]]|$))")
OF_HYDRA = ("launcher", "sweeper", "callbacks", "hydra_logging", "job_logging")
APPENDED_ORDER = {"experiment": 0, "debug": 2}


@dataclass(frozen=True)
class ReadOverride:
    """One override: in Hydra's form, as shown to the user (`text`, without plus signs), and what it sets."""

    hydra: str
    text: str
    key: str
    is_group: bool
    values: tuple[str, ...] = ()
    """The values of a sweep, as overrides spell them; empty if they cannot be listed."""
    is_sweep: bool = False

    @property
    def is_hydras(self) -> bool:
        """Whether it is a setting of Hydra itself, such as the launcher, and none of a run."""
        return self.key.startswith("hydra")


def read_overrides(overrides: Sequence[str], search: SearchPath) -> list[ReadOverride]:
    """Parses overrides and sorts them into Hydra's order; of two for the same group or key the last one wins.

    Raises:
        ConfigError: the syntax is wrong, a group has no such choice, or there are two experiments.
    """
    found: dict[str, ReadOverride] = {}
    for text in overrides:
        one = _read(text, search)
        if one is not None:
            before = found.pop(one.key, one)
            # Repeated settings are usually meant to override; two experiments are taken for a mistake.
            if one.key == "experiment" and before.text != one.text:
                raise ConfigError(
                    f"two experiments: {before.text} and {one.text}",
                    "give one; +experiment=[a,b] merges several, the last one counts for a key in both",
                )
            found[one.key] = one
    return sorted(found.values(), key=lambda one: APPENDED_ORDER.get(one.key, 1))


def _read(text: str, search: SearchPath) -> ReadOverride | None:
    parsed = _parse(text, search)
    key = parsed.key_or_group
    if parsed.is_hydra_override():
        if key in ("hydra.searchpath", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.output_subdir"):
            raise ConfigError(
                f"{text}: this Hydra setting is snnlab's own", "use --config-dir, or paths.runs=<folder>"
            )
        if re.split("[./]", f"{key}.")[1] not in OF_HYDRA:
            raise ConfigError(
                f"{text}: snnlab does not use this Hydra setting",
                "hydra.launcher.* and hydra.sweeper.* set how train -m runs; paths.runs=DIR says where results go",
            )
        return ReadOverride(text, text, key, False)
    group = search.is_group(key)
    head, _, rest = key.partition(".")
    if rest and search.is_group(head) and head not in search.default_groups:
        raise ConfigError(
            f"{key}: unknown key", f"what a choice of {head} sets is changed by its own name: {rest}=<value>"
        )
    appended = group and key not in search.default_groups
    if parsed.package is not None:
        raise ConfigError(
            f"{text}: a group cannot be put elsewhere with '@'", "write group=choice or key=value"
        )
    if parsed.is_delete():
        return None if appended else ReadOverride(text, text, key, group)
    if parsed.is_sweep_override() and not parsed.is_discrete_sweep():
        plus = "" if group else "++"
        return ReadOverride(f"{plus}{text.lstrip('+')}", text.lstrip("+"), key, group, is_sweep=True)
    values = _values(parsed, search)
    if not values:
        raise ConfigError(f"{text}: there is no value in it", f"for example {key}=range(0,3), which is 0,1,2")
    if group:
        values = [_YAML.sub("", value) for value in values]
        for value in values:
            _check_choice(key, value, search)
        # A choice called `nan` or `2024` is still a name.
        values = [f"'{value}'" if NUMBER.fullmatch(value) else value for value in values]
        if values == ["null"]:
            return None if appended else ReadOverride(f"~{key}", f"~{key}", key, True)
    joined = ",".join(values)
    if parsed.is_sweep_override() and len(values) == 1:
        joined = f"choice({joined})"
    plus = "" if group and not appended else "+" if group else "++"
    kept = tuple(values) if parsed.is_sweep_override() else ()
    return ReadOverride(
        f"{plus}{key}={joined}", f"{key}={joined}", key, group, kept, parsed.is_sweep_override()
    )


def _parse(text: str, search: SearchPath) -> Override:
    if home := _HOME.fullmatch(text):  # shells expand it in front of a word only, and Hydra cannot read it
        text = home[1] + quoted(os.path.expanduser(home[2]))
    with suppress(HydraException):
        return OverridesParser.create().parse_override(text)
    key, equals, value = text.partition("=")
    if equals and _is_place(value):
        with suppress(HydraException):
            return OverridesParser.create().parse_override(f"{key}={quoted(value)}")
    if equals and (key != key.strip() or value != value.strip()):
        hint = f"no blanks around =: {shlex.quote(f'{key.strip()}={value.strip()}')}"
    elif equals and (strange := next((one for one in key if not one.isascii()), None)) is not None:
        hint = f"keys are written in the letters a to z, and '{strange}' is {unicodedata.name(strange, 'another sign')}"
    elif equals and (lacking := _lacking(value)):
        hint = f"a {lacking} is missing at the end"
    elif equals and value.endswith("()"):
        hint = f"values stand between the brackets: {shlex.quote(f'{key}=choice(a,b)')}"
    elif equals and (listed := _LISTED.fullmatch(value.strip())):
        items = ",".join(re.split(r"[;,\s]+", listed[1]))
        hint = f"a list stands in brackets: '{key}=[{items}]'"
    elif equals and value[:1] in ("[", "(", "{", "=", ""):
        hint = "quote a value with special characters for the shell and for Hydra: 'key=\"a, b\"'"
    elif equals:
        hint = f"quote a value with special characters for the shell and for Hydra: {on_shell(key, value)}"
    elif guess := closest(text, search.options("experiment")):
        hint = f"Did you mean +experiment={guess}?"
    else:
        hint = "write key=value or group=choice, for example neuron.threshold=0.5"
    raise ConfigError(f"cannot read the override '{text}'", hint) from None


def _lacking(value: str) -> str:
    """What a value lacks that begins like a call or in quotes: `range(0,3` and `"0.5`; empty if nothing."""
    if re.match(r"\w+\(", value) and value.count("(") > value.count(")"):
        return "closing bracket )"
    return f"closing quote {value[0]}" if value[:1] in ("'", '"') and value.count(value[0]) == 1 else ""


def _is_place(value: str) -> bool:
    """Whether a value that Hydra cannot read is a path: `/data/pets (1)`, or a name that there is."""
    return value.startswith(("/", "./", "../")) or os.path.lexists(value)


def _values(parsed: Override, search: SearchPath) -> list[str]:
    if not parsed.is_sweep_override():
        return [parsed.get_value_element_as_str()]
    if parsed.value_type == ValueType.GLOB_CHOICE_SWEEP:
        pattern: Any = parsed.value()
        names = [
            name
            for name in search.options(parsed.key_or_group)
            if any(fnmatchcase(name, one) for one in pattern.include)
            and not any(fnmatchcase(name, one) for one in pattern.exclude)
        ]
        if not names:
            raise ConfigError(
                f"{parsed.input_line}: no choice fits",
                f"there are: {', '.join(search.options(parsed.key_or_group))}",
            )
        return names
    return list(parsed.sweep_string_iterator())


def _check_choice(group: str, value: str, search: SearchPath) -> None:
    options = search.options(group)
    if value.startswith("{"):
        raise ConfigError(
            f"{group}: expected a choice, got {value}", f"set a single key with {group}.<key>=<value>"
        )
    if group in KINDS and group not in SEVERAL and value.startswith("["):
        # A component and a file with some of its keys may be merged; of two components the last would be left.
        listed = [one for one in re.findall(r"[\w-]+", value) if one in component_files(group)]
        if len(listed) > 1:
            raise ConfigError(
                f"{group}: expected one choice, got {value}", f"one run each: -m {group}={','.join(listed)}"
            )
    for name in value.strip("[]").split(","):
        name = name.strip("'\" ").removesuffix(".yaml")
        if name in options or name == "null":
            continue
        if group in KINDS and search.absent is not None:
            raise search.absent
        hint = _hint_at_file(group, name)
        guess = "" if hint else unknown_choice(group, name, options)
        own = "" if guess else search.own(group)
        raise ConfigError(
            f"{group}: unknown choice '{name}'{guess}", hint or choices_hint(group, options) + own
        )


def _hint_at_file(group: str, name: str) -> str:
    """How a file is chosen, if its path was given in the place of a name."""
    file = Path(f"{name}.yaml").expanduser()
    if not file.is_file() or file.resolve().parent.name != group:
        return ""
    above = shlex.quote(str(file.parent.parent))
    return (
        f"a file is chosen by its name, and its folder given apart: --config-dir {above} {group}={file.stem}"
    )
