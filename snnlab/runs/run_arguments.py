"""What commands on a stored run share: `run=DIR checkpoint=best` and other plain keys of their own. No torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snnlab.errors import ConfigError
from snnlab.runs.config_file import find_run

CHECKPOINTS = ("last", "best")
SWITCH = ("true", "false")


def take_keys(given: Sequence[str], defaults: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values of some `key=value` arguments, and all other arguments in their order.

    A folder by itself is the run, as in `snnlab report DIR`, so that a pattern of the shell can name it.

    Raises:
        ConfigError: two runs.
    """
    values, others = dict(defaults), []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals and not text.startswith("~"):
            key, equals, value = "run", "=", text
        if key == "run" and values["run"]:
            raise ConfigError(f"two runs: {values['run']} and {value}", "give one run directory")
        if equals and key in defaults:
            values[key] = value
        else:
            others.append(text)
    return values, others


def run_folder(command: str, value: str, hint: str) -> Path:
    """The run directory that `run=` names; a folder that holds one run only stands for it.

    Args:
        command: for the message.
        value: what was given; empty if nothing was.
        hint: how to give it.

    Raises:
        ConfigError: nothing was given, or a folder with several runs.
    """
    if not value:
        raise ConfigError(f"{command}: no run is given", hint)
    return find_run(Path(value).expanduser().resolve())
