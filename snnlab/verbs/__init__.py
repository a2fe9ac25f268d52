"""The commands of `snnlab`, one file each."""

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snnlab.config.arguments import Arguments


def verbs() -> dict[str, str]:
    """Each verb with its help text, the first line of its module."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if not file.stem.startswith("_"):
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            found[file.stem] = text.partition("\n")[0].rstrip(".")
    return found


def arguments_class(verb: str) -> "type[Arguments] | None":
    """The dataclass that declares the arguments of a command; None if it composes a configuration, or has none."""
    from snnlab.verbs._declarations import DECLARED

    return DECLARED.get(verb)
