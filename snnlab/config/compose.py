"""Composes the YAML files and overrides with Hydra into one plain mapping, with the origin of every value."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from snnlab.config.bare_components import stored
from snnlab.config.hydra_errors import as_config_error
from snnlab.config.hydra_settings import Composition, refuse_code
from snnlab.config.origins import Origin, Origins, choices_of_file, flatten, keys_of_file
from snnlab.config.overrides import ReadOverride, read_overrides
from snnlab.config.package_line import inherited, refuse_unplaced, unplaced
from snnlab.config.quoting import on_shell, quoted
from snnlab.config.search import MAIN, SearchPath
from snnlab.config.trust import guarded_environment, plugins_named, refuse_resolvers
from snnlab.errors import ConfigError
from snnlab.registry import KINDS

# Hydra 1.3 warns unless a version base is given; 1.4 has only one set of defaults and warns if one is given.
VERSION: Mapping[str, Any] = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


@dataclass(frozen=True)
class Composed:
    """A composed config, not yet checked.

    Args:
        mapping: nested plain values, interpolations resolved.
        origins: where each flat key was set last.
        overrides: the command line's overrides, without plus signs.
        written_for: flat keys that a file sets for a component which another file or the command line has
            replaced, with that component.
    """

    mapping: Mapping[str, Any]
    origins: Origins
    overrides: tuple[str, ...]
    written_for: Mapping[str, str]


def compose(overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()) -> Composed:
    """Composes conf/train.yaml with overrides in Hydra's syntax.

    Args:
        overrides: such as `+experiment=quickstart`, `neuron=plif`, `trainer.epochs=3`.
        config_dirs: further folders shaped like conf/.

    Raises:
        ConfigError: the overrides or the files cannot be composed.
    """
    search = SearchPath.of(config_dirs, plugins_named(overrides))
    read = read_overrides(overrides, search)
    for one in read:
        if one.is_sweep:
            folder = one.text.partition("=")[2]
            there = f", or {on_shell(one.key, folder)} for the folder" if os.path.lexists(folder) else ""
            raise ConfigError(
                f"{one.text}: several values for one run",
                f"add -m to sweep, or write {one.key}=[...] for a list{there}",
            )
    with loader(search) as hydra_loader:
        composed = compose_with(hydra_loader, read, search)
    for one in read:
        if one.is_hydras:
            raise ConfigError(
                f"{one.text}: has no effect on a single run", "snnlab train -m takes it, a sweep"
            )
    return composed


def compose_with(hydra_loader: ConfigLoader, read: Sequence[ReadOverride], search: SearchPath) -> Composed:
    """Composes inside an open `loader`, so that the points of a sweep share one Hydra set-up."""
    lines = [*search_override(search), *(one.hydra for one in read)]
    refuse_unplaced(read, search)
    with config_errors(search):
        cfg = load_configuration(hydra_loader, lines, RunMode.RUN, search)
        choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
        cfg = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
        unresolved = OmegaConf.to_container(cfg)
        assert isinstance(unresolved, dict)
        origins = Origins(
            lambda: _origins(hydra_loader.compute_defaults_list(MAIN, lines, RunMode.RUN).defaults, search),
            _command_line(read),
        )
        refuse_resolvers(unresolved, origins)
        mapping = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(mapping, dict)
    assert isinstance(choices, dict)
    if isinstance(mapping.get("experiment"), Mapping):
        defaults = hydra_loader.compute_defaults_list(MAIN, lines, RunMode.RUN).defaults
        file = inherited(defaults, search)
        if file is not None:
            raise unplaced("experiment", file, search)
        place = origins.get(f"experiment.{next(iter(mapping['experiment']), '')}")
        raise ConfigError(
            "experiment: keys stand below the experiment's name",
            f"set in {place.text if place else 'a file'}; they are written without it",
        )
    _name_experiment(mapping, choices)
    written_for = {}
    # Only an appended group, such as an experiment, sets keys of components.
    if any(one.is_group and one.key not in search.default_groups for one in read):
        with config_errors(search):
            files_choose = {**choices, **_files_choose(hydra_loader, read, search)}
        written_for = _written_for(origins, files_choose, choices, search)
    return Composed(
        {str(key): value for key, value in mapping.items()},
        origins,
        tuple(one.text for one in read if not one.is_hydras),
        written_for,
    )


@contextmanager
def loader(search: SearchPath) -> Iterator[ConfigLoader]:
    """Sets Hydra up for the shipped configs and tears it down again; may be nested, as in a point of a sweep."""
    state = GlobalHydra.instance()
    outer = state.hydra
    state.clear()
    try:
        with (
            stored(search.bare),
            guarded_environment(),
            hydra.initialize_config_dir(str(search.roots[0]), job_name="snnlab", **VERSION),
        ):
            hydra_loader = GlobalHydra.instance().config_loader()
            hydra_loader.repository = _ReadOnce(hydra_loader.repository)  # type: ignore[attr-defined]
            yield hydra_loader
    finally:
        if outer is not None:
            GlobalHydra.instance().initialize(outer)


class _ReadOnce:
    """A cache over Hydra's config loader: each YAML file is read once instead of three times per composition.

    Args:
        files: Hydra's own loader.
    """

    def __init__(self, files: Any) -> None:
        self._files = files
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "_files":  # unpickled, as launchers do it, an object has no attributes at first
            raise AttributeError(name)
        return getattr(self._files, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_ReadOnce":
        """A copy for one composition, which may add folders to it; the cached files are shared."""
        copied = _ReadOnce(deepcopy(self._files, memo))
        copied._known = self._known
        return copied

    def load_config(self, config_path: str) -> Any:
        if config_path not in self._known:
            self._known[config_path] = self._files.load_config(config_path=config_path)
        # A composition builds its nodes into the result, where overrides change them.
        return deepcopy(self._known[config_path])


def load_configuration(
    hydra_loader: ConfigLoader, lines: list[str], mode: RunMode, search: SearchPath
) -> DictConfig:
    """Hydra's composition of conf/train.yaml; user errors are raised as HydraException.

    Raises:
        ConfigError: it would make Hydra run code that it names.
    """
    try:
        cfg = hydra_loader.load_configuration(MAIN, lines, mode, from_shell=False)
        refuse_code(cfg, Composition(hydra_loader, lines, search, mode))
        return cfg
    except (ValueError, TypeError, AttributeError) as error:
        # OmegaConf's errors are of these types too; Hydra lets plain ones through for overrides of the wrong shape.
        if isinstance(error, OmegaConfBaseException | ConfigError):
            raise
        raise HydraException(str(error)) from error


def search_override(search: SearchPath) -> list[str]:
    """The override that tells Hydra about the folders of --config-dir."""
    if not search.extra:
        return []
    return [f"hydra.searchpath=[{','.join(quoted(f'file://{folder}') for folder in search.extra)}]"]


def config_dirs_in(searchpath: Iterable[str]) -> list[str]:
    """The folders of --config-dir in Hydra's `searchpath`, where `search_override` has put them."""
    return [place.removeprefix("file://") for place in searchpath]


@contextmanager
def config_errors(search: SearchPath) -> Iterator[None]:
    """Turns Hydra's, OmegaConf's and YAML's errors into ours."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise as_config_error(error, search) from error


def _name_experiment(mapping: dict[Any, Any], choices: Mapping[Any, Any]) -> None:
    choice = choices.get("experiment")
    if choice is not None:
        mapping["experiment"] = "+".join(choice) if isinstance(choice, list) else str(choice)


def _origins(defaults: Sequence[Any], search: SearchPath) -> dict[str, Origin]:
    origins: dict[str, Origin] = {}
    for default in defaults:
        package = default.package or ""
        file = search.file(default.config_path or "")
        if file is None or package.partition(".")[0] == "hydra":
            continue
        for key, line in keys_of_file(file):
            path = f"{package}.{key}" if package else key
            origins[path] = Origin(f"{search.label(file)}:{line}", default.config_path)
    return origins


def _command_line(read: Sequence[ReadOverride]) -> list[str]:
    paths: list[str] = []
    for one in read:
        if one.is_group or one.key.startswith("hydra."):
            continue
        parts = one.key.split(".")
        paths.extend(".".join(parts[:end]) for end in range(2, len(parts) + 1))
        paths.append(one.key)
        if "={" in one.text:
            value = OmegaConf.to_container(OmegaConf.from_dotlist([one.text]))
            assert isinstance(value, dict)
            paths.extend(path for path, _ in flatten({str(key): inner for key, inner in value.items()}))
    return paths


def _files_choose(
    hydra_loader: ConfigLoader, read: Sequence[ReadOverride], search: SearchPath
) -> Mapping[Any, Any]:
    """The choices that the files make for the groups that the command line chooses, too."""
    kinds = {one.key for one in read if one.is_group and one.key in KINDS}
    if not kinds:
        return {}
    lines = [*search_override(search), *(one.hydra for one in read if one.key not in kinds)]
    choices = hydra_loader.compute_defaults_list(MAIN, lines, RunMode.RUN).overrides.known_choices
    return {kind: choices.get(kind) for kind in kinds}


def _written_for(
    origins: Origins,
    files_choose: Mapping[Any, Any],
    choices: Mapping[Any, Any],
    search: SearchPath,
) -> dict[str, str]:
    found = {}
    for path, origin in origins.of_files.items():
        kind = path.partition(".")[0]
        file = search.file(origin.config)
        if (
            kind not in KINDS
            or path in origins.by_hand
            or file is None
            or origin.config.startswith(f"{kind}/")
        ):
            continue
        meant = choices_of_file(file).get(kind, files_choose.get(kind))
        if meant != choices.get(kind):
            found[path] = str(meant)
    return found
