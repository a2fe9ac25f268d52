"""What a table's file may not ask for: it may be somebody else's, and its overrides and commands are run as typed."""

import dataclasses
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from snnlab.config.trust import override_key, plugins_named, refuse_unnamed
from snnlab.errors import ConfigError
from snnlab.tables.table_file import TableFile

MEASURES = ("analyse", "eval")
DRAWS = (*MEASURES, "convert", "report", "table")
MODULES = ("snnlab.convert.surfaces",)
"""What `python -m` may run for a figure."""
OPTIONS = ("--format", "--layout", "--output")
PLACES = {"{name}": "name", "{runs}": "runs", "{run}": "run"}
REFUSED = ("hydra", "paths", "trainer.on_existing")
OVERRIDES = ("overrides", "convert")


def refuse_code(table: TableFile, place: str, named: Collection[str]) -> None:
    """Refuses overrides and commands that would run code or write outside of the runs.

    Args:
        table: its content.
        place: its file, for the message.
        named: the packages that the command line names.

    Raises:
        ConfigError: it names the file and what is refused.
    """
    for key, value in _settings(table):
        if key in OVERRIDES:
            _refuse_overrides(value, place, named)
        elif key == "measure" and value:
            _refuse_words(_words(value, place), MEASURES, place, named)
        elif key == "measured" and _leads_out(value):
            raise _error(place, value, "files are looked for in the run's directory")
        elif key == "draw":
            for line in value:
                words = _words(line, place)
                if words[:2] == ["python", "-m"]:
                    _refuse_words([*words[2:], ""][: max(1, len(words) - 2)], MODULES, place, named)
                else:
                    _refuse_words(words, DRAWS, place, named)


def _settings(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a table and of all records in it, by name."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            yield field.name, inner
            yield from _settings(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _settings(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _settings(inner)


def _refuse_overrides(texts: Collection[str], place: str, named: Collection[str]) -> None:
    for text in texts:
        key = override_key(text).replace("/", ".")
        if any(f"{key}.".startswith(f"{one}.") for one in REFUSED):
            raise _error(place, text, "this is set on the command line")
    refuse_unnamed(sorted(plugins_named(list(texts))), named, place)


def _refuse_words(words: list[str], allowed: Collection[str], place: str, named: Collection[str]) -> None:
    command, *rest = words
    if command not in allowed:
        raise _error(place, command, f"it runs {', '.join(allowed)}")
    for before, word in zip(words, rest, strict=False):
        option, _, value = word.partition("=")
        if word.startswith("-") and option not in OPTIONS:
            raise _error(place, word, f"its commands take {', '.join(OPTIONS)}")
        is_output = before == "--output" or (option == "--output" and value)
        if _leads_out(value or word) or (is_output and not (value or word).startswith("{name}")):
            raise _error(place, word, "files are written where the command line says, as {name}.html")
    _refuse_overrides([word for word in rest if "=" in word and not word.startswith("-")], place, named)


def _words(line: str, place: str) -> list[str]:
    try:
        return shlex.split(line) or [""]
    except ValueError as error:
        raise _error(place, line, str(error)) from None


def _leads_out(text: str) -> bool:
    """Whether a path leaves the folder that it is relative to."""
    for place, name in PLACES.items():
        text = text.replace(place, name)
    path = PurePosixPath(text)
    return path.is_absolute() or ".." in path.parts or text.startswith("~/")


def _error(place: str, text: str, why: str) -> ConfigError:
    return ConfigError(f"{place}: a table may not ask for '{text}'", why)
