"""What a configuration may say to Hydra itself: it must name no code to run, and files say little at all.

Hydra calls what `_target_` names, and its launchers run commands that their options hold. So launchers and sweepers
are those that are installed, and a file of a --config-dir sets only what is listed here; the command line sets the
rest. No torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from snnlab.config.origins import flatten
from snnlab.config.search import MAIN, SearchPath, shipped
from snnlab.config.trust import override_key
from snnlab.errors import ConfigError

STOCK_LOGGING = ("none", "default", "disabled", "stdout", "hydra_debug")
OF_FILES = tuple(f"hydra.launcher.{name}" for name in ("workers", "cpus", "gpus", "on_error", "show_output"))
"""What a file of a --config-dir may set, beside `hydra.sweeper.params`."""
PARAMS = "hydra.sweeper.params"


@dataclass(frozen=True)
class Composition:
    """What Hydra is given for one composition: its loader, the overrides, the folders, and the mode."""

    hydra_loader: ConfigLoader
    lines: Sequence[str]
    search: SearchPath
    mode: RunMode


def refuse_code(cfg: DictConfig, composition: Composition) -> None:
    """Refuses what makes Hydra run code, so that a configuration from an untrusted source runs none.

    Raises:
        ConfigError: callbacks, logging or a launcher that is not installed; a setting that a file may not make.
    """
    if cfg.hydra.callbacks:
        raise ConfigError("hydra.callbacks: callbacks are not supported", "remove them from the config")
    for group in ("hydra_logging", "job_logging"):
        if cfg.hydra.runtime.choices.get(f"hydra/{group}") not in STOCK_LOGGING or "()" in str(
            cfg.hydra[group]
        ):
            raise ConfigError(
                f"hydra/{group}: not one of Hydra's own", f"use one of: {', '.join(STOCK_LOGGING)}"
            )
    if composition.search.extra:
        _refuse_settings_of_files(composition)
    for group in ("launcher", "sweeper"):
        _refuse_unknown_target(group, OmegaConf.to_container(cfg.hydra[group]))


def _refuse_unknown_target(group: str, options: Any) -> None:
    target = options.get("_target_") if isinstance(options, Mapping) else None
    plugins = Plugins.instance()
    if target not in plugins.class_name_to_class:
        raise ConfigError(
            f"hydra.{group}: '{target}' is not a {group} that is installed",
            f"choose an installed one, as hydra/{group}=basic, and set its options on the command line",
        )
    known = _targets_of_plugins()
    for path, value in _leaves(options, f"hydra.{group}"):
        if path.endswith("._target_") and path != f"hydra.{group}._target_" and value not in known:
            raise ConfigError(f"{path}: an option names code to call", f"remove it from hydra.{group}")


def _targets_of_plugins() -> set[str]:
    """What the installed plugins' own configurations name, such as Optuna's samplers."""
    found: set[str] = set()
    waiting: list[Any] = [ConfigStore.instance().repo.get("hydra", {})]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            waiting.extend(node.values())
        elif isinstance(node, ConfigNode):
            values = OmegaConf.to_container(node.node)
            found |= {str(value) for path, value in _leaves(values, "") if path.endswith("._target_")}
    return found


def _refuse_settings_of_files(composition: Composition) -> None:
    search = composition.search
    found = composition.hydra_loader.compute_defaults_list(
        MAIN, list(composition.lines), composition.mode
    ).defaults
    for default in found:
        file = search.file((default.config_path or "").removesuffix(".yaml"))
        if file is None or file.resolve().is_relative_to(shipped()):
            continue
        # Loaded rather than walked, so that `<<` and aliases hide nothing.
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for path, value in flatten(content) if isinstance(content, Mapping) else ():
            if path == "defaults":
                continue
            whole = f"{default.package}.{path}" if default.package else path
            if whole.partition(".")[0] == "hydra" and not _is_of_files(whole, value):
                raise ConfigError(
                    f"{search.label(file)}: {whole} may not be set by a file of --config-dir",
                    "launchers, sweepers and their options are set on the command line, as hydra/launcher=basic",
                )


def _is_of_files(path: str, value: Any) -> bool:
    """Whether a file may set this value of Hydra's."""
    if path.partition(".")[2].partition(".")[0] in ("callbacks", "hydra_logging", "job_logging"):
        return True  # refused by name above
    if path.startswith(f"{PARAMS}."):
        key = override_key(path.removeprefix(f"{PARAMS}."))
        return key.partition(".")[0].partition("/")[0] not in ("plugins", "hydra")
    return path in OF_FILES or (path == PARAMS and value is None)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings and lists by dotted key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}")
    else:
        yield path, value
