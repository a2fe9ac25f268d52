"""Which analyses there are: the files of `snnlab/analyse/`. No torch, and no Hydra."""

import ast
from pathlib import Path


def analyses() -> dict[str, str]:
    """Each analysis with its description: a file with a function `run(subject)`, and the first line of its text."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(one, ast.FunctionDef) and _is_analysis(one) for one in module.body):
            found[file.stem] = (ast.get_docstring(module) or "").partition("\n")[0].rstrip(".")
    return found


def _is_analysis(function: ast.FunctionDef) -> bool:
    return function.name == "run" and [one.arg for one in function.args.args] == ["subject"]
