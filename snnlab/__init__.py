"""snnlab: the laboratory for spiking neural networks.

`load_run`, `create`, `list_components` and the packages of components are imported when they are asked for, so that
`import snnlab` takes no time. What type checkers see of them stands in `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_FUNCTIONS = ("create", "list_components", "load_run")


def __getattr__(name: str) -> Any:
    # Named as text: nothing that is imported for `__version__` depends on the library.
    if name in _FUNCTIONS:
        return getattr(import_module("snnlab.library"), name)
    if name in _packages():
        return import_module(f"snnlab.{name}")
    raise AttributeError(f"module 'snnlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(["__version__", *_FUNCTIONS, *_packages()])


def _packages() -> tuple[str, ...]:
    from snnlab.registry import KINDS

    return (*KINDS.values(), "metrics")
