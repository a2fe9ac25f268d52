"""Turns the errors of Hydra, OmegaConf and YAML into one line and one hint."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from snnlab.config.search import MAIN, SearchPath
from snnlab.config.suggest import choices_hint, did_you_mean, unknown_choice
from snnlab.errors import ConfigError
from snnlab.packages import how_to_install
from snnlab.registry import KINDS

CHOICE = re.compile(r"Could not (?:find|load) '([\w/]+)/([^'/]+)'")
INSIDE = re.compile(r"In '([\w/]+)'")
FULL_KEY = re.compile(r"full_key: (\S+)")


@dataclass(frozen=True)
class Plugin:
    """A plugin of Hydra that sweeps were tried with.

    Args:
        extra: the extra in pyproject.toml that installs it.
        module: in the package `hydra_plugins`.
        packages: what the extra names, as a shell takes it.
    """

    extra: str
    module: str
    packages: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        return find_spec(f"hydra_plugins.{self.module}") is not None


_SUBMITIT = Plugin("slurm", "hydra_submitit_launcher", ("hydra-submitit-launcher", "submitit"))
PLUGINS = MappingProxyType(
    {
        ("hydra/launcher", "joblib"): Plugin("joblib", "hydra_joblib_launcher", ("hydra-joblib-launcher",)),
        ("hydra/launcher", "submitit_slurm"): _SUBMITIT,
        ("hydra/launcher", "submitit_local"): _SUBMITIT,
        ("hydra/sweeper", "optuna"): Plugin(
            "optuna", "hydra_optuna_sweeper", ("hydra-optuna-sweeper", "'sqlalchemy<2'")
        ),
    }
)
"""Those that are not ours, by what chooses them."""


def as_config_error(error: BaseException, search: SearchPath) -> ConfigError:
    """Converts such an error to a ConfigError; for an unknown choice, the hint lists the existing ones."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    for one in chain:
        if isinstance(one, ConfigError):
            return one
        if isinstance(one, yaml.MarkedYAMLError) and one.problem_mark is not None:
            place = f"{search.label(Path(one.problem_mark.name))}:{one.problem_mark.line + 1}"
            return ConfigError(
                f"{place}: not valid YAML: {one.problem}", "correct the file; indent with spaces"
            )
        if isinstance(one, ConfigKeyError | ConfigAttributeError) and isinstance(one.parent_node, DictConfig):
            return _unknown_key(str(one.full_key), [str(key) for key in one.parent_node])
    texts = [" ".join(str(one).split()) for one in chain]
    for text in texts:
        if found := CHOICE.search(text):
            inside = INSIDE.search(text)
            return _unknown_choice(found[1], found[2], inside[1] if inside else "", search)
    key = next((found[1] for text in texts if (found := FULL_KEY.search(text))), "")
    reason = next((text.partition(" full_key:")[0] for text in reversed(texts) if text), type(error).__name__)
    return ConfigError(
        f"{key}: {reason}" if key else reason,
        "snnlab show prints a composed config, snnlab list what can be chosen",
    )


def _unknown_key(path: str, known: list[str]) -> ConfigError:
    """The error for a key of Hydra's own, such as an option of the launcher."""
    home, _, name = path.rpartition(".")
    known = [one for one in known if one != "_target_"]
    return ConfigError(
        f"{path}: unknown key{did_you_mean(name, known)}", f"keys of {home}: {', '.join(known) or 'none'}"
    )


def _unknown_choice(group: str, name: str, inside: str, search: SearchPath) -> ConfigError:
    options = search.options(group)
    if (group, name) in PLUGINS and not PLUGINS[group, name].is_installed:
        plugin = PLUGINS[group, name]
        return ConfigError(f"{group}={name} is not installed", how_to_install(plugin.extra, *plugin.packages))
    if group.startswith("hydra/"):
        entries = ConfigStore.instance().list(group)  # files, and groups below this one
        installed = (Path(one).stem for one in entries if one.endswith(".yaml"))
        options = sorted({*options, *installed, *(name for kind, name in PLUGINS if kind == group)})
    if group in KINDS and search.absent is not None:
        return search.absent
    guess = unknown_choice(group, name, options)
    file = search.file(inside) if inside != MAIN else None
    place = f"set in {search.label(file)}; " if file else ""
    return ConfigError(
        f"{group}: unknown choice '{name}'{guess}",
        f"{place}{choices_hint(group, options)}{'' if guess else search.own(group)}",
    )
