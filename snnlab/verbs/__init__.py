"""The commands of `snnlab`, one file each."""

import ast
from pathlib import Path


def verbs() -> dict[str, str]:
    """Each verb with its help text, the first line of its module."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if not file.stem.startswith("_"):
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            found[file.stem] = text.partition("\n")[0].rstrip(".")
    return found
