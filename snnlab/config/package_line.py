"""The line `# @package _global_`, without which Hydra puts the keys of an experiment below `experiment`."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from snnlab.config.check import SECTIONS
from snnlab.config.overrides import ReadOverride
from snnlab.config.search import SearchPath
from snnlab.errors import ConfigError
from snnlab.registry import KINDS

_LINE = "# @package _global_"
_HEADER = re.compile(r"\s*#\s*@package\s+_global_\s*")


def refuse_unplaced(read: Sequence[ReadOverride], search: SearchPath) -> None:
    """Refuses chosen experiments, debug modes and the like whose file does not begin with the line.

    Args:
        read: the command line's overrides.
        search: where files are.

    Raises:
        ConfigError: it names the file and the line.
    """
    for one in read:
        if not one.is_group or one.is_sweep or one.key in search.default_groups:
            continue
        if one.key.partition("/")[0] in (*KINDS, *SECTIONS, "hydra"):
            continue  # their keys belong below the group's name
        for name in one.text.partition("=")[2].strip("[]").split(","):
            file = search.file(f"{one.key}/{name.strip().strip(chr(39))}")
            if file is not None:
                _refuse_misshapen(file, search)
            if file is not None and not _has_line(file):
                raise unplaced(one.key, file, search)


def _refuse_misshapen(file: Path, search: SearchPath) -> None:
    """Refuses a file that is no mapping, or whose defaults are no list of choices; Hydra would not name the file.

    Raises:
        ConfigError: it names the file and the form that is expected.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8", errors="replace"))
    except yaml.YAMLError:
        return  # has an error of its own, with the line
    if not isinstance(values, dict | None):
        raise ConfigError(
            f"{search.label(file)}: expected keys and values", "write num_steps: 4, for example"
        )
    defaults = values.get("defaults", []) if values else []
    for entry in defaults if isinstance(defaults, list) else [defaults]:
        choices = entry.values() if isinstance(entry, dict) else [entry]
        if not isinstance(defaults, list) or not all(
            isinstance(choice, str | list | None) for choice in choices
        ):
            raise ConfigError(
                f"{search.label(file)}: defaults: expected a list of choices, got {entry}",
                "write - override /neuron: plif, for example; single keys stand below, outside of defaults",
            )
        for key in entry if isinstance(entry, dict) else ():
            word, _, group = str(key).rpartition(" ")
            group = group.lstrip("/").partition("@")[0]
            if word != "override" and group in search.default_groups:
                raise ConfigError(
                    f"{search.label(file)}: defaults: '{key}' would choose a second {group}",
                    f"write - override /{group}: {entry[key]}",
                )


def unplaced(group: str, file: Path, search: SearchPath) -> ConfigError:
    """The error about a file without the line."""
    return ConfigError(
        f"{group}: '{file.stem}' does not say where its keys belong",
        f"write '{_LINE}' as the first line of {search.label(file)}",
    )


def inherited(defaults: Iterable[Any], search: SearchPath) -> Path | None:
    """The file, of those that a configuration is composed of, whose keys went below `experiment`."""
    found = (
        search.file(one.config_path or "")
        for one in defaults
        if (one.package or "").partition(".")[0] == "experiment"
    )
    return next((file for file in found if file is not None), None)


def _has_line(file: Path) -> bool:
    """Whether the line is there, as Hydra reads it; True too for what is no YAML, which has an error of its own."""
    text = file.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        if _HEADER.fullmatch(line):
            return True
        if line.strip() and not re.match(r"\s*#\s*@", line):
            break
    try:
        yaml.safe_load(text)
    except yaml.YAMLError:
        return True
    return False
