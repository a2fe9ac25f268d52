"""What a file may not do by itself: run a package's code, or read the environment.

An experiment of a --config-dir, a stored run and a table may be somebody else's. The packages they name (`plugins`)
are imported only if the command line names them too, and they read only those environment variables that the shipped
configuration reads or that SNNLAB_CONFIG_ENV lists. No torch.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.resolvers import oc

from snnlab.config.origins import Origins
from snnlab.errors import ConfigError

ENVIRONMENT = frozenset({"SNNLAB_DATA"})
"""The variables that the shipped conf/ reads."""
LISTED = "SNNLAB_CONFIG_ENV"
_GUARDED: ContextVar[bool] = ContextVar("guarded", default=False)
# References to other keys, and resolvers that read nothing outside of the configuration.
_PLAIN = re.compile(r"\$\{(?:(?:now|oc\.select|oc\.dict\.keys|oc\.dict\.values):)?[^${}:]*\}")
_ENVIRONMENT = re.compile(r"\$\{oc\.env:\s*(\w+)\s*(?:,[^${}]*)?\}")


def override_key(text: str) -> str:
    """The key that an override sets, without signs and package: `plugins` for `++plugins=[a]`."""
    return text.partition("=")[0].strip().lstrip("+~").partition("@")[0].strip()


def plugins_named(overrides: Sequence[str]) -> frozenset[str]:
    """The packages that overrides name, as `plugins=[a,b]`.

    Raises:
        ConfigError: the brackets are left out.
    """
    named: frozenset[str] = frozenset()
    for text in overrides:
        if override_key(text) == "plugins":
            try:
                value = yaml.safe_load(text.partition("=")[2])
            except yaml.YAMLError:
                value = None
            if isinstance(value, str) and re.fullmatch(r"[\w., ]+", value):
                raise ConfigError(
                    f"plugins: expected a list [...] of: text, got '{value}'", f"write plugins=[{value}]"
                )
            named = frozenset(map(str, value)) if isinstance(value, list) else frozenset()
    return named


def refuse_unnamed(plugins: Any, named: Collection[str], place: str) -> None:
    """Refuses packages that a file names and the command line does not.

    Args:
        plugins: the value of `plugins`.
        named: the packages that the command line names.
        place: the file that sets them.

    Raises:
        ConfigError: it names the package, the file and the option that would allow it.
    """
    found = [str(one) for one in plugins] if isinstance(plugins, list | tuple) else []
    unknown = [one for one in found if one not in named]
    if unknown:
        those = f"package '{unknown[0]}'" if len(unknown) == 1 else f"packages {', '.join(unknown)}"
        them = "its" if len(unknown) == 1 else "their"
        raise ConfigError(
            f"plugins: {place} names the {those}, and {them} code runs only if the command names it too",
            f"if you trust it, add plugins=[{','.join(dict.fromkeys([*sorted(named), *found]))}] to the command"
            if all(re.fullmatch(r"[\w.]+", one) for one in found)
            else "no package has such a name: use nothing of that file",
        )


def refuse_resolvers(values: Mapping[Any, Any], origins: Origins) -> None:
    """Refuses interpolations that read something outside of the configuration, such as `${oc.env:TOKEN}`.

    Args:
        values: the configuration, interpolations unresolved.
        origins: where each flat key was set, for the message.

    Raises:
        ConfigError: it names the key, its file and the interpolation.
    """
    allowed = _allowed()
    for path, text in _texts(values, ""):
        rest = _ENVIRONMENT.sub(lambda found: "" if found[1] in allowed else found[0], _PLAIN.sub("", text))
        if "${" not in rest:
            continue
        origin = origins.get(path)
        place = f"{path} ({origin.text})" if origin else path
        variable = _ENVIRONMENT.search(rest)
        if variable:
            raise _refused(f"{place}: {variable[0]}", variable[1])
        raise ConfigError(
            f"{place}: {text!r} is not resolved: it may read more than the configuration",
            "an interpolation names another key, as ${model.name}",
        )


@contextmanager
def guarded_environment() -> Iterator[None]:
    """While Hydra composes, `${oc.env:NAME}` reads allowed variables only, in defaults lists as well; may be nested.

    Raises:
        ConfigError: a file reads another one; OmegaConf raises it as the cause of its own error.
    """

    def env(name: str, default: str | None = None) -> str | None:
        if name not in _allowed():
            raise _refused(f"${{oc.env:{name}}}", name)
        return oc.env(name) if default is None else oc.env(name, default)

    if _GUARDED.get():
        yield
        return
    token = _GUARDED.set(True)
    OmegaConf.register_new_resolver("oc.env", env, replace=True)
    try:
        yield
    finally:
        _GUARDED.reset(token)
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def _allowed() -> frozenset[str]:
    return ENVIRONMENT | {one.strip() for one in os.environ.get(LISTED, "").split(",")}


def _refused(place: str, variable: str) -> ConfigError:
    return ConfigError(
        f"{place} would copy the environment variable {variable} into the run",
        f"write the value; {LISTED}={variable} in the environment lets configurations read it",
    )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """All texts in nested values, each with its flat key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value
