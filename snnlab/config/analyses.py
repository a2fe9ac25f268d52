"""Which analyses there are: the files of `snnlab/measure/`. No torch, and no Hydra."""

import ast
from pathlib import Path


def analyses() -> dict[str, str]:
    """Each analysis with its description, the first line of its module in `snnlab/measure/`."""
    found = {}
    for file in sorted((Path(__file__).parent.parent / "measure").glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        found[file.stem] = text.partition("\n")[0].rstrip(".")
    return found
