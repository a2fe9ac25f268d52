"""Completion: candidates for the last word of a command line."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from snnlab.config.arguments import Arguments, arguments_of
from snnlab.config.check import SECTIONS, section
from snnlab.config.hydra_errors import PLUGINS
from snnlab.config.origins import flatten
from snnlab.config.search import SearchPath
from snnlab.config.signature import Key, read_component
from snnlab.config.trust import override_key, plugins_named
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files
from snnlab.runs.run_arguments import RunArguments
from snnlab.sweep.options import OPTIONS
from snnlab.verbs import verbs
from snnlab.verbs._declarations import DECLARED
from snnlab.verbs._shells import SHELLS

TAKES_OVERRIDES = ("train", "show", "check", "eval", "analyse", "convert", "export", "data")
GROUPS_OF_HYDRA = ("hydra/launcher", "hydra/sweeper")
OPTIONS_OF_VERBS = {
    "report": ("--output", "--open"),
    "runs": ("--runs", "--sort", "--state", "--json", "--watch"),
    "log": ("--runs", "--follow"),
    "clean": ("--runs", "--data", "--only", "--unused-days", "--yes"),
}


def candidates(line: str) -> list[str]:
    """Completions of the last word of a line that starts with the program's name; complete words each.

    Raises:
        ConfigError: the words before cannot be composed.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    word = "" if line.endswith(" ") or not words else words.pop()
    before = words[1:]
    if not before:
        return _starting(word, verbs())
    verb, *given = before
    plugins = tuple(sorted(plugins_named(given)))
    search = SearchPath.of(_config_dirs(given), plugins)
    if verb == "list":
        return _starting(word, search.options(given[0]) if given else search.groups())
    if verb in OPTIONS_OF_VERBS:
        return _starting(word, OPTIONS_OF_VERBS[verb]) if word.startswith("-") else []
    if verb == "table":
        return _table(word, given, search)
    if verb == "completion" and not given:
        return _starting(word, SHELLS)
    if verb == "data" and not given:
        return _starting(word, ("list", "prepare", "verify", "bench"))
    if verb == "data" and len(given) == 1 and "=" not in word:
        return _starting(word, [*search.options("dataset"), "+experiment="])
    kind = DECLARED.get(verb)
    if kind is not None and (found := _of_command(kind, word, plugins)) is not None:
        return found
    if verb not in TAKES_OVERRIDES:
        return []
    overrides = [one for one in given if "=" in one and not one.startswith("-")]
    return [one for one in _override(word, overrides, search) if _has_effect(verb, one)]


def _table(word: str, given: list[str], search: SearchPath) -> list[str]:
    if word.startswith("-"):
        return _starting(word, ("--plan", "--run", "--format", "--layout", "--from", "--output", "--all"))
    if "=" in word or any(not one.startswith("-") and "=" not in one for one in given):
        return _of_command(DECLARED["table"], word, ()) or []
    return _starting(word, search.options("table"))


def _of_command(kind: type[Arguments], word: str, plugins: tuple[str, ...]) -> list[str] | None:
    """What is no override of the run; None if the word may be one."""
    known = arguments_of(kind)
    key, equals, value = word.partition("=")
    full = kind.also.get(key, key)
    name, dot, rest = full.partition(".")
    one = known.get(name)
    if equals and one and not dot and (choices := one.choices(plugins)):
        opening, comma, last = value.rpartition(",")
        bracket = "[" if last.startswith("[") else ""
        head = f"{key}={opening}{comma}{bracket}"
        return [head + choice for choice in _starting(last.removeprefix("["), choices)]
    if dot and one and one.section:
        keys = section(name).keys
        if equals:
            types = keys[rest].type.choices() if rest in keys else ()
            return [f"{key}={choice}" for choice in _starting(value, types)]
        return [f"{path}=" for path in _starting(key, (f"{name}.{one}" for one in keys))]
    if dot or equals:
        return None
    own = [f"{one.name}." if one.section else f"{one.name}=" for one in known.values() if not one.is_open]
    return _starting(word, dict.fromkeys([*own, *(f"{short}=" for short in kind.also)])) or None


def _override(word: str, overrides: list[str], search: SearchPath) -> list[str]:
    plus = word[: len(word) - len(word.lstrip("+"))]
    key, equals, value = word.lstrip("+").partition("=")
    if equals:
        head, comma, last = value.rpartition(",")
        group = "neuron" if key == "residual_neuron" else key
        values: Iterable[str]
        if group in GROUPS_OF_HYDRA:
            values = _of_hydra(group, search)
        else:
            values = search.options(group) if search.is_group(group) else _values(key, overrides, search)
        return [f"{plus}{key}={head}{comma}{one}" for one in _starting(last, values)]
    if key.startswith("hydra"):
        names = (*GROUPS_OF_HYDRA, *(f"hydra.launcher.{name}" for name in _options_of_launcher(overrides)))
        return [f"{plus}{one}=" for one in _starting(key, names)]
    if "." not in key:
        groups = [f"{name}=" for name in search.groups() if name != "table"]
        keys = [f"{name}=" for name in (*section("").keys, "residual_neuron") if name != "experiment"]
        deeper = [f"{name}." for name in [*KINDS, *SECTIONS]] if key else []
        return [f"{plus}{one}" for one in _starting(key, [*groups, *keys, *deeper])]
    paths = (path for path in _composed(overrides, search) if path.partition(".")[2] != "name")
    return [f"{plus}{path}=" for path in _starting(key, paths)]


def _has_effect(verb: str, override: str) -> bool:
    """Whether a command takes an override; those on stored runs refuse what has no effect on a trained network."""
    kind = DECLARED.get(verb)
    return kind is None or not issubclass(kind, RunArguments) or kind.takes_key(override_key(override))


def _of_hydra(group: str, search: SearchPath) -> list[str]:
    """The launchers or sweepers that there are, and those that an extra installs."""
    return sorted({"basic", *search.options(group), *(name for kind, name in PLUGINS if kind == group)})


def _options_of_launcher(overrides: list[str]) -> Iterable[str]:
    """Of a launcher of ours."""
    chosen = [one.partition("=")[2] for one in overrides if one.startswith("hydra/launcher=")]
    kinds = dict(OPTIONS.values())
    kind = kinds.get(chosen[-1] if chosen else "process")
    return (one.name for one in fields(kind)) if kind else ()


def _values(path: str, overrides: list[str], search: SearchPath) -> tuple[str, ...]:
    group, _, name = path.partition(".")
    if group in KINDS:
        if group in SEVERAL:
            component, _, name = name.partition(".")
        else:
            component = _composed(overrides, search).get(f"{group}.name", "")
        files = component_files(group)
        keys: Mapping[str, Key] = read_component(files[component][1]).keys if component in files else {}
    else:
        keys = section(group).keys if group in SECTIONS else {}
    return keys[name].type.choices() if name in keys else ()


def _composed(overrides: list[str], search: SearchPath) -> dict[str, Any]:
    from snnlab.config.compose import compose

    try:
        mapping = compose(overrides, search.extra).mapping
    except ConfigError:
        mapping = compose((), search.extra).mapping
    return {path: value for path, value in flatten(mapping) if "." in path}


def _config_dirs(words: list[str]) -> list[Path]:
    split = [after for word, after in pairwise(words) if word == "--config-dir"]
    joined = [word.partition("=")[2] for word in words if word.startswith("--config-dir=")]
    return [Path(folder) for folder in [*split, *joined]]


def _starting(prefix: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(prefix)]
