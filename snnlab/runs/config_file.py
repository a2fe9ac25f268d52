"""Reads the config.yaml of a run directory."""

from pathlib import Path
from typing import Any, TypeGuard

import yaml

from snnlab.config.check import SECTIONS
from snnlab.errors import ConfigError
from snnlab.registry import KINDS, SEVERAL

OTHERWISE = "restore it from a copy, or train again: trainer.on_existing=restart"

MOST_VALUES = 100_000
MOST_DEPTH = 1_000


def find_run(folder: Path) -> Path:
    """The run directory that a folder names: itself, or the only run below it.

    So `runs/quickstart` names a run as long as that experiment was run only once.

    Raises:
        ConfigError: there are several runs below it. (If there is none, `read_config` raises an error.)
    """
    if (folder / "config.yaml").is_file():
        return folder
    inside = sorted(
        path.parent for pattern in ("*/config.yaml", "*/*/config.yaml") for path in folder.glob(pattern)
    )
    if len(inside) > 1:
        raise ConfigError(
            f"{folder} holds {len(inside)} runs", f"name one of them: {', '.join(map(str, inside[:6]))}"
        )
    return inside[0] if inside else folder


def read_config(run: Path) -> dict[str, Any]:
    """The config.yaml of a run directory.

    Raises:
        ConfigError: the file is missing or cannot be read.
    """
    file = run / "config.yaml"
    try:
        content = _parsed(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        inside = sorted(path.parent for path in run.glob("*/config.yaml"))
        hint = f"did you mean {inside[0]}?" if inside else "a run directory ends in seed<k>"
        raise ConfigError(f"{run} is not a run directory: it has no config.yaml", hint) from None
    except NotADirectoryError:
        raise ConfigError(
            f"{run} is a file, and a run directory is expected", "a run directory ends in seed<k>"
        ) from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", OTHERWISE) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is damaged: it is no text in UTF-8", OTHERWISE) from None
    # The parser's own errors, those of a value such as an impossible date, and depth without end.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{file} is damaged: it is no YAML ({' '.join(str(error).split())})", OTHERWISE
        ) from None
    if not _is_bounded(content):
        raise ConfigError(
            f"{file}: more than {MOST_VALUES:,} values, by its aliases", "no run writes such a file"
        )
    if not _is_config(content):
        raise ConfigError(f"{file} is damaged: it is not the configuration of a run", OTHERWISE)
    return content


def _parsed(text: str) -> Any:
    """The content of a YAML file; libyaml reads it seven times as fast where it cannot be too deep for its stack.

    Each level takes a bracket or a column.
    """
    depth = text.count("[") + text.count("{") + max(map(len, text.splitlines()), default=0)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if depth < MOST_DEPTH else yaml.SafeLoader
    return yaml.load(text, Loader=loader)


def _is_config(content: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a mapping of names in which sections and components have theirs."""
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return False
    needed = ("dataset", "model", "neuron", "loss", "trainer", "num_steps")
    if any(key not in content for key in needed):
        return False
    one_of_each = [content[key] for key in KINDS if key in content and key not in SEVERAL]
    # None is the network's own neuron.
    one_of_each += [content["residual_neuron"]] if content.get("residual_neuron") is not None else []
    if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in one_of_each):
        return False
    sections = [content[key] for key in (*SECTIONS, *SEVERAL) if key in content]
    if not all(isinstance(one, dict | None) for one in sections):
        return False
    of_several = [one for key in SEVERAL for one in (content.get(key) or {}).values()]
    return all(isinstance(one, dict | None) for one in of_several)


def _is_bounded(content: Any) -> bool:
    """False if aliases stand for more values than a configuration has, or for themselves."""
    waiting, count = [content], 0
    while waiting and count <= MOST_VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return count <= MOST_VALUES
