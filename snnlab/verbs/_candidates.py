"""What could come next on a command line: candidates for its last word."""

import shlex
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from snnlab.config.check import ANALYSE_SECTIONS, SECTIONS, section
from snnlab.config.origins import flatten
from snnlab.config.search import SearchPath
from snnlab.config.signature import Key, read_component
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL, component_files
from snnlab.verbs import verbs
from snnlab.verbs._shells import SHELLS

TAKES_OVERRIDES = ("train", "show", "check", "eval", "analyse", "export", "data")


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
    search = SearchPath.of(_config_dirs(given))
    if verb == "list":
        return _starting(word, search.options(given[0]) if given else search.groups())
    if verb == "report":
        return _starting(word, ("--output", "--open")) if word.startswith("-") else []
    if verb == "table":
        return _table(word, given, search)
    if verb == "completion" and not given:
        return _starting(word, SHELLS)
    if verb == "data" and not given:
        return _starting(word, ("list", "prepare", "verify", "bench"))
    if verb == "data" and len(given) == 1 and "=" not in word:
        return _starting(word, [*search.options("dataset"), "+experiment="])
    if verb not in TAKES_OVERRIDES:
        return []
    if verb == "analyse" and (found := _of_analyse(word)) is not None:
        return found
    overrides = [one for one in given if "=" in one and not one.startswith("-")]
    return _override(word, overrides, search)


def _table(word: str, given: list[str], search: SearchPath) -> list[str]:
    if word.startswith("-"):
        return _starting(word, ("--plan", "--run", "--format", "--layout", "--from", "--output", "--all"))
    key, equals, value = word.partition("=")
    if key == "scale" and equals:
        return [f"scale={one}" for one in _starting(value, ("full", "short", "smoke"))]
    named = any(not one.startswith("-") and "=" not in one for one in given)
    return _starting(word, ["scale=", "seeds="] if named else search.options("table"))


def _of_analyse(word: str) -> list[str] | None:
    """What is no override of the run; None if the word may be one."""
    from snnlab.analyse.names import analyses
    from snnlab.runs.run_arguments import CHECKPOINTS

    key, equals, value = word.partition("=")
    choices: Mapping[str, Iterable[str]] = {"what": [*analyses(), "all"], "checkpoint": CHECKPOINTS}
    if equals and key in choices:
        opening, comma, last = value.rpartition(",")
        bracket = "[" if last.startswith("[") else ""
        head = f"{key}={opening}{comma}{bracket}"
        return [head + one for one in _starting(last.removeprefix("["), choices[key])]
    name, dot, _ = key.partition(".")
    if dot and name in ANALYSE_SECTIONS:
        keys = section(name).keys
        if equals:
            types = keys[key.partition(".")[2]].type.choices() if key.partition(".")[2] in keys else ()
            return [f"{key}={one}" for one in _starting(value, types)]
        return [f"{one}=" for one in _starting(key, (f"{name}.{one}" for one in keys))]
    own = [*(f"{one}=" for one in ("run", "what", "checkpoint")), *(f"{one}." for one in ANALYSE_SECTIONS)]
    return _starting(word, own) or None if not dot and not equals else None


def _override(word: str, overrides: list[str], search: SearchPath) -> list[str]:
    plus = word[: len(word) - len(word.lstrip("+"))]
    key, equals, value = word.lstrip("+").partition("=")
    if equals:
        head, comma, last = value.rpartition(",")
        group = "neuron" if key == "residual_neuron" else key
        values = search.options(group) if search.is_group(group) else _values(key, overrides, search)
        return [f"{plus}{key}={head}{comma}{one}" for one in _starting(last, values)]
    if "." not in key:
        groups = [f"{name}=" for name in search.groups() if name != "table"]
        keys = [f"{name}=" for name in (*section("").keys, "residual_neuron") if name != "experiment"]
        deeper = [f"{name}." for name in [*KINDS, *SECTIONS]] if key else []
        return [f"{plus}{one}" for one in _starting(key, [*groups, *keys, *deeper])]
    paths = (path for path in _composed(overrides, search) if path.partition(".")[2] != "name")
    return [f"{plus}{path}=" for path in _starting(key, paths)]


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
