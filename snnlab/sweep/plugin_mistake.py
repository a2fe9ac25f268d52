"""An exception out of a launcher or sweeper of others, as one line: which plugin, and what it says."""

import os
import traceback
from types import TracebackType

from omegaconf import DictConfig, OmegaConf

from snnlab.errors import ConfigError, SnnlabError
from snnlab.own_code import SHOWN

# Hydra finds plugins in this package only; ours are called snnlab_*.
PLUGINS = "hydra_plugins."
OURS = ("snnlab", f"{PLUGINS}snnlab_")
HYDRAS = "hydra._internal.core_plugins."


def as_plugin_mistake(error: BaseException, hydra: DictConfig) -> ConfigError | None:
    """The error to print for what a plugin has raised; None for what our own code has or says, and if SHOWN is set.

    It is the plugin's if the exception has passed one since it left our code: what a plugin calls, joblib or a
    database, say, is named by the plugin's settings.

    Args:
        error: the exception.
        hydra: Hydra's own configuration.
    """
    plugin = None if isinstance(error, SnnlabError) else _plugin(error.__traceback__)
    if plugin is None or os.environ.get(SHOWN):
        return None
    group = "launcher" if _is_home(plugin, hydra.launcher) else "sweeper"
    choice = OmegaConf.select(hydra, "runtime.choices").get(f"hydra/{group}")
    said = next(iter(str(error).strip().splitlines()), "") or _failed_line(error)
    return ConfigError(
        f"hydra/{group}={choice}: {type(error).__name__}: {said}",
        f"correct hydra.{group}.* or choose another hydra/{group}; {SHOWN}=1 in the environment prints the whole "
        "traceback",
    )


def _plugin(step: TracebackType | None) -> str | None:
    """The innermost module of a plugin of others that the exception has passed since it left our code."""
    found = None
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__", ""))
        if module == OURS[0] or module.startswith((f"{OURS[0]}.", OURS[1])):
            found = None
        elif module.startswith((PLUGINS, HYDRAS)):
            found = module
        step = step.tb_next
    return found


def _is_home(module: str, options: DictConfig) -> bool:
    """Whether the class that the options name is of the plugin with this module."""
    home = str(options.get("_target_")).rpartition(".")[0]
    return module == home or (module.startswith(PLUGINS) and module.split(".")[:2] == home.split(".")[:2])


def _failed_line(error: BaseException) -> str:
    """The source of the line that has raised an exception without words, such as an assertion."""
    lines = traceback.extract_tb(error.__traceback__)
    return (lines[-1].line or "") if lines else ""
