"""Reads `key=value` arguments into a dataclass of `config.arguments`. No torch."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from snnlab.config import types
from snnlab.config.arguments import Argument, Arguments, Bare, Choices, ReadBy, Several, arguments_of
from snnlab.config.check import check_section, section, top_level_keys
from snnlab.config.example import as_override
from snnlab.config.origins import Origins
from snnlab.config.quoting import unquoted
from snnlab.config.suggest import check_choice, closest, did_you_mean
from snnlab.config.trust import override_key, plugins_named
from snnlab.errors import ConfigError

Read = TypeVar("Read", bound=Arguments)
RANGE = re.compile(r"\s*(\d+)\s*\.\.\s*(\d+)\s*")
WORDS = {"null": None, "true": True, "false": False}
# Groups that are not keys of a configuration.
GROUPS = ("experiment", "debug", "hydra")


def read_arguments(kind: type[Read], given: Sequence[str]) -> Read:
    """Parses a command line into its dataclass.

    Args:
        kind: the dataclass that declares them.
        given: such as `["run=DIR", "num_steps=1..8", "trainer.device=cpu"]`.

    Raises:
        ConfigError: a key is unknown, a value does not fit, or a required argument is missing.
    """
    known = arguments_of(kind)
    plugins = tuple(sorted(plugins_named(given)))
    takes_overrides = any(field.name == "overrides" for field in dataclasses.fields(kind))
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    others: list[str] = []
    for text in given:
        key, value = _key_and_value(kind, text)
        name, dot, rest = key.partition(".")
        one = known.get(name)
        if one is None or (dot and not (one.section or one.is_open)):
            if not text.startswith("~"):
                _check_unknown(kind, key, takes_overrides)
            others.append(text)
        elif one.section:
            sections.setdefault(name, []).append(f"{key}={value}")
        elif one.mark(Several) and not (_is_list(value) and (rest or not one.is_open)):
            others.append(text)
        elif one.is_open:
            values.setdefault(name, {})[rest] = _listed(key, value)
        elif one.mark(Bare) and "=" not in text and isinstance(one.type, types.Sequence):
            values[name] = (*values.get(name, ()), *_value(one, value, plugins))
        else:
            if (bare := one.mark(Bare)) and name in texts:
                _refuse_a_choice_without_key(known, (texts[name], value), plugins)
                raise ConfigError(f"two {name}s: {texts[name]} and {value}", f"give one {bare.what}")
            if value or one.default is not dataclasses.MISSING:
                values[name] = _value(one, value, plugins)
                texts[name] = value
    for name, one in known.items():
        if one.default is dataclasses.MISSING and name not in values:
            for key in (override_key(text) for text in others):
                # Anything near is more likely the missing one than a setting that no configuration has.
                if key not in (*top_level_keys(), *GROUPS) and closest(key, [name], cutoff=0.6):
                    raise ConfigError(f"{kind.verb}: unknown key '{key}'. Did you mean '{name}'?", kind.usage)
            raise ConfigError(f"{kind.verb}: no {name} is given", kind.usage)
    for name, settings in sections.items():
        values[name] = _section(known[name], settings)
    return kind(**values, **({"overrides": tuple(others)} if takes_overrides else {}))


def _refuse_a_choice_without_key(
    known: Mapping[str, Argument], values: Sequence[str], plugins: tuple[str, ...]
) -> None:
    """Guesses what `firing_rates RUN` means, where one of the bare values is the choice of another argument."""
    for name, one in known.items():
        names = one.choices(plugins) if one.mark(Choices) else ()
        for value in values:
            if value and (near := closest(value, names, cutoff=0.8)):
                raise ConfigError(f"{value}: a bare word is a run here", f"write {name}={near}")


def _key_and_value(kind: type[Arguments], text: str) -> tuple[str, str]:
    """`run` and `DIR` of `run=DIR`, and of a bare `DIR`."""
    key, equals, value = text.partition("=")
    if not equals and not text.startswith("~"):
        bare = [name for name, one in arguments_of(kind).items() if one.mark(Bare)]
        key, value = (bare[0], text) if bare else (key, value)
    key = key.lstrip("+")
    return kind.also.get(key, key), value


def _check_unknown(kind: type[Arguments], key: str, takes_overrides: bool) -> None:
    """Refuses a key that is no argument, unless it may be an override of the run."""
    known = list(dict.fromkeys([*arguments_of(kind), *kind.also]))
    if not takes_overrides:
        guess = did_you_mean(key, known)
        raise ConfigError(f"{kind.verb}: unknown key '{key}'{guess}", f"keys: {', '.join(known)}")
    is_plain = re.fullmatch(r"\w+", key) and key not in (*top_level_keys(), *GROUPS)
    if is_plain and (near := closest(key, known, cutoff=0.75)):
        raise ConfigError(
            f"{kind.verb}: unknown key '{key}'. Did you mean '{near}'?",
            f"keys of its own: {', '.join(known)}",
        )


def _value(one: Argument, text: str, plugins: tuple[str, ...]) -> Any:
    if not isinstance(one.type, types.Sequence):
        text = unquoted(text)
    if read := one.mark(ReadBy):
        return read.function(text)
    try:
        found = _converted(one.name, one.type, text)
    except types.MismatchError as error:
        raise ConfigError(f"{one.name}: {error.message}", error.hint or one.doc) from None
    if one.mark(Choices):
        for name in found if isinstance(found, tuple) else (found,):
            check_choice(one.name, name, one.choices(plugins))
    return found.expanduser() if isinstance(found, Path) else found


def _converted(key: str, kind: types.Type, text: str) -> Any:
    """Converts a text to the argument's type; duplicates in a list are removed."""
    if isinstance(kind, types.Sequence):
        (item,) = kind.items
        try:
            return tuple(dict.fromkeys(_converted(key, item, one) for one in _listed(key, text)))
        except types.MismatchError:
            plural = {"an integer": "integers", "a number": "numbers"}
            expected = re.sub("|".join(plural), lambda found: plural[found[0]], str(item))
            ranged = f" or {key}=1..4" if expected.startswith("integers") else ""
            hint = f"write {key}=[1,2,4]{ranged}"
            raise types.MismatchError(f"expected {expected}, got '{text}'", hint) from None
    try:
        return kind.convert(text)
    except types.MismatchError as error:
        if error.weight == 1:  # an unknown choice
            raise
    try:
        return kind.convert(_parsed(text))
    except types.MismatchError:
        raise types.MismatchError(f"expected {str(kind).removesuffix(' or null')}, got '{text}'") from None


def _parsed(text: str) -> Any:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def _is_list(text: str) -> bool:
    return text.startswith("[") or RANGE.fullmatch(text) is not None


def _listed(key: str, text: str) -> tuple[str, ...]:
    """Splits `[a,b]`, `a,b` or `1..3` into its values; none for `[]`."""
    if match := RANGE.fullmatch(text):
        low, high = int(match[1]), int(match[2])
        return tuple(map(str, range(low, high + 1))) or (text,)
    inside = re.fullmatch(r"\s*\[([^\[\]]*)\]\s*|([^\[\]]*)", text)
    if inside and inside[1] is not None and not inside[1].strip():
        return ()
    found = re.split(r"\s*,\s*|\s+", (inside[1] or inside[2]).strip()) if inside else [""]
    if not all(found):
        raise ConfigError(f"{key}: cannot read the values '{text}'", f"write {key}=[a,b]")
    return tuple(found)


def _section(one: Argument, texts: Sequence[str]) -> Any:
    """The checked dataclass of a section, from its arguments `name.key=value`."""
    # Imported late: `--help` needs no Hydra.
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    name, values = one.name, {}
    for text in texts:
        key = text.partition("=")[0].partition(".")[2]
        try:
            parsed = OverridesParser.create().parse_override(text)
        except HydraException:
            parsed = None
        if parsed is None or not key:
            example = next(f"{key}={as_override(one.default)}" for key, one in section(name).keys.items())
            raise ConfigError(f"cannot read the override '{text}'", f"for example {name}.{example}")
        if parsed.is_sweep_override():
            message = f"{name}.{key}: several values without brackets"
            raise ConfigError(message, f"write {name}.{key}=[{text.partition('=')[2]}]")
        values[key] = parsed.value()
    assert one.section is not None
    return check_section(name, one.section, values, Origins(by_hand=[f"{name}.{key}" for key in values]))
