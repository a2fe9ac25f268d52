"""Writes the YAML file of each component from its signature: `make conf`, or for your own package

    python -m snnlab.config.component_yaml my_lab my_conf

A key's comment is the first sentence of its entry below `Args:` in the class's docstring, with the bounds of
its type; the comment of the file is the first line of the docstring.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from snnlab.config.problems import plain
from snnlab.config.signature import Key, read_component
from snnlab.config.types import Scalar, Union
from snnlab.errors import ConfigError
from snnlab.ranges import Ge, Le
from snnlab.registry import KINDS, SEVERAL, component_files, component_name


def component_yaml(kind: str, file: Path) -> str:
    """The text of a component's YAML file.

    Raises:
        ConfigError: a key has no entry below `Args:`.
    """
    signature = read_component(file)
    lines = []
    for name, key in signature.keys.items():
        if not key.doc:
            raise ConfigError(
                f"{file}: '{name}' is not explained",
                f"add a line below Args: in the docstring of {signature.class_name}: '    {name}: what it means.'",
            )
        lines.append(f"{name}: {_value(key.default)}  # {_comment(name, key)}")
    if kind not in SEVERAL:
        lines = [f"name: {component_name(file)}", *lines]
    elif lines:
        lines = [f"{component_name(file)}:", *(f"  {line}" for line in lines)]
    else:
        lines = [f"{component_name(file)}: {{}}"]
    return "\n".join([f"# {signature.summary}", *lines, ""])


def files(package: str) -> dict[Path, str]:
    """The YAML files of a package's components: path below `conf/` -> content."""
    plugins = () if package == "snnlab" else (package,)
    return {
        Path(kind) / f"{name}.yaml": component_yaml(kind, file)
        for kind in KINDS
        for name, (module, file) in component_files(kind, plugins).items()
        if module.startswith(f"{package}.")
    }


def write(package: str, folder: Path) -> None:
    """Writes the YAML files of a package's components into a folder shaped like `conf/`."""
    for path, text in files(package).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _value(value: Any) -> str:
    text: str = yaml.safe_dump(plain(value), default_flow_style=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(name: str, key: Key) -> str:
    """The first sentence of a key's documentation; `(0 <= decay < 1)` where its type has bounds."""
    sentence = re.split(r"\.(?= [A-Z]|$)", key.doc)[0]
    members = key.type.members if isinstance(key.type, Union) else (key.type,)
    bounds = [bound for one in members if isinstance(one, Scalar) for bound in one.bounds]
    if bounds == [Ge(0), Le(1)]:
        return f"{sentence} (0 to 1)"
    if len(bounds) == 2:
        sign, low = str(bounds[0]).split()
        return f"{sentence} ({low} {sign.replace('>', '<')} {name} {bounds[1]})"
    return f"{sentence} ({bounds[0]})" if bounds else sentence


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
