"""Which components exist: a component is a file, its name is the file's name, and no list is kept.

A kind (`neuron`) is a package (`snnlab.neurons`); the component `plif` is `PLIF` in `plif.py` there.
Listing looks at file names only; nothing is imported before `load`. Plugins add packages of the same shape; which of
them a configuration may name is decided before (`config/trust.py`).
"""

import ast
import importlib
import importlib.util
import os
import shlex
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from itertools import chain
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from snnlab.errors import ConfigError

KINDS = MappingProxyType(
    {
        "dataset": "datasets",
        "augment": "augments",
        "model": "models",
        "norm": "norms",
        "neuron": "neurons",
        "surrogate": "surrogates",
        "loss": "losses",
        "regulariser": "regularisers",
        "optimizer": "optimizers",
        "scheduler": "schedulers",
    }
)
SEVERAL = ("augment", "regulariser")
"""The kinds of which a run has any number, in an ordered mapping from name to keys."""
_USED: set[str] = set()


def component_files(kind: str, plugins: tuple[str, ...] = ()) -> dict[str, tuple[str, Path]]:
    """Maps each component's name to its module name and its file, in alphabetical order.

    Raises:
        ConfigError: a plugin is not importable, or redefines a name that exists already.
    """
    found: dict[str, tuple[str, Path]] = {}
    for top in ("snnlab", *plugins):
        for folder in _package_folders(top, KINDS[kind]):
            for file in sorted(folder.glob("*.py")):
                if not is_component(file):
                    continue
                name = component_name(file)
                if name in found:
                    raise ConfigError(
                        f"plugins: '{top}' defines the {kind} '{name}', as {found[name][1]} does",
                        "give the plugin's component, and its file, another name",
                    )
                found[name] = (f"{top}.{KINDS[kind]}.{file.stem}", file)
    return dict(sorted(found.items()))


def load(kind: str, name: str, plugins: tuple[str, ...] = ()) -> type[Any]:
    """Imports a component's file and returns its class.

    Raises:
        ConfigError: there is no such component, or its file has no class of its name.
    """
    files = component_files(kind, plugins)
    if name not in files:
        raise ConfigError(f"{kind}: no {kind} is called '{name}'", f"choose one of: {', '.join(files)}")
    module_name, file = files[name]
    if (top := module_name.partition(".")[0]) != "snnlab":
        _USED.add(top)
    module = _import(module_name)
    for attribute, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module_name and is_class_of(attribute, name):
            return value
    raise ConfigError(
        f"{file}: no class named like the file", f"call it '{name}', in any case, without underscores"
    )


def packages_used() -> frozenset[str]:
    """The packages, other than snnlab, of which this process has loaded components."""
    return frozenset(_USED)


def is_class_of(class_name: str, component: str) -> bool:
    """True if a class of this name is the component that the file holds: `VGGSNN` is `vgg_snn`."""
    return class_name.lower() == component.replace("_", "").lower()


def component_name(file: Path) -> str:
    """The name of the component that a file holds: `if_.py`, since `if` is a word of Python, holds `if`."""
    return file.stem.removesuffix("_")


def is_component(file: Path) -> bool:
    """False for base classes (`base.py`, `base_membrane.py`) and for what components share (`_affine.py`)."""
    return not file.stem.startswith("_") and file.stem.partition("_")[0] != "base"


def public_classes(kind: str) -> dict[str, str]:
    """The classes of a component package: its components and its base classes, each with its module's name.

    They are read from the source, so that listing them imports nothing.
    """
    folder = Path(__file__).parent / KINDS[kind]
    found = {}
    for file in folder.glob("*.py"):
        for name in _classes(file):
            if is_class_of(name, file.stem) if is_component(file) else file.stem.startswith("base"):
                found[name] = f"snnlab.{KINDS[kind]}.{file.stem}"
    return dict(sorted(found.items()))


def lazy_package(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a component package: `from snnlab.neurons import LIF` finds `lif.py`.

    What type checkers see stands in the package's `__init__.pyi`, which `make conf` writes.
    """
    kind = next(kind for kind, folder in KINDS.items() if package == f"snnlab.{folder}")

    def getattr_(attribute: str) -> Any:
        module = public_classes(kind).get(attribute)
        if module is None:
            raise AttributeError(f"module '{package}' has no attribute '{attribute}'")
        return getattr(importlib.import_module(module), attribute)

    def dir_() -> list[str]:
        return list(public_classes(kind))

    return getattr_, dir_


@cache
def _classes(file: Path) -> tuple[str, ...]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return tuple(node.name for node in body if isinstance(node, ast.ClassDef) and node.name[0] != "_")


def _package_folders(top: str, folder: str) -> list[Path]:
    """The folders of components in a package. Nothing is imported to find them, not even a parent package."""
    name, *inner = top.split(".")
    spec = _spec(name) if name.isidentifier() else None
    found = [Path(one).resolve() for one in (spec.submodule_search_locations or ())] if spec else []
    for part in inner:
        found = [path / part for path in found if part.isidentifier() and (path / part).is_dir()]
    if not found:
        raise ConfigError(
            f"plugins: no package named '{top}' can be imported",
            _where_seen(name) or "install it, or put its folder into the current directory",
        )
    # A folder without __init__.py that is on the path twice (as '' and by its name) has two equal locations.
    return [path for path in dict.fromkeys(one / folder for one in found) if path.is_dir()]


def _where_seen(name: str) -> str:
    """The hint where a package lies near the current directory, and not in it; empty if none is seen."""
    if not name.isidentifier():
        return ""
    here = Path.cwd()
    below = chain.from_iterable(here.glob(f"{deep}/{name}/__init__.py") for deep in ("*", "*/*"))
    above = (place / name / "__init__.py" for place in here.parents)
    seen = next((one for one in chain(below, above) if one.is_file()), None)
    if seen is None:
        return ""
    place = shlex.quote(str(seen.parents[1]))
    return f"it is in {place}: cd {place}, and repeat the command there (and name --config-dir from there)"


def _spec(name: str) -> ModuleSpec | None:
    """Where a package is, on Python's path or else in the current directory."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    return found or PathFinder.find_spec(name, [os.getcwd()])


def _import(module_name: str) -> ModuleType:
    """Imports a component's module; the current directory joins Python's path if only it has the package."""
    if importlib.util.find_spec(module_name.partition(".")[0]) is None:
        sys.path.append(os.getcwd())
    return importlib.import_module(module_name)
