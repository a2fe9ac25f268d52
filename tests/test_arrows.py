"""The import arrows of the architecture: who may know whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "snnlab"
PLAIN_LIBRARY = (
    "neurons",
    "surrogates",
    "norms",
    "layers",
    "models",
    "losses",
    "metrics",
    "augments",
    "kernels",
    "regularisers",
    "export",
)
TORCH_FREE = ("config", "report", "verbs", "cli.py", "registry.py", "ranges.py", "errors.py", "versions.py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module with True where the import stands at the top of the file."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, id(node) in top)]
            found += [(f"{node.module}.{alias.name}", id(node) in top) for alias in node.names]
    return found


def files(*names: str) -> list[Path]:
    return [
        f
        for name in names
        for f in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))
    ]


@pytest.mark.parametrize("path", files(*PLAIN_LIBRARY), ids=lambda p: str(p.relative_to(ROOT)))
def test_plain_library_knows_no_hydra_and_no_run(path: Path) -> None:
    allowed = tuple(f"snnlab.{name}" for name in (*PLAIN_LIBRARY, "registry", "ranges"))
    for module, _ in imports(path):
        assert module.split(".")[0] not in ("hydra", "omegaconf", "wandb"), module
        if module.startswith("snnlab."):
            assert module.startswith(allowed), f"{path.name} imports {module}"


@pytest.mark.parametrize("path", files(*TORCH_FREE), ids=lambda p: str(p.relative_to(ROOT)))
def test_configuration_and_command_line_do_not_import_torch(path: Path) -> None:
    for module, at_top in imports(path):
        assert not (module.split(".")[0] in ("torch", "torchvision", "tonic") and at_top), module
        if path.parent.name == "config":
            layer = module.split(".")[1] if module.startswith("snnlab.") else None
            assert layer in (None, "config", "registry", "ranges", "errors"), f"{path.name} imports {module}"


@pytest.mark.parametrize("path", files("data", "datasets"), ids=lambda p: str(p.relative_to(ROOT)))
def test_data_knows_no_network(path: Path) -> None:
    forbidden = tuple(f"snnlab.{name}" for name in ("train", "models", "neurons", "losses", "build"))
    for module, _ in imports(path):
        assert not module.startswith(forbidden), module


def test_only_the_run_sees_all() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        if (
            path.parent.name in ("train", "verbs", "bench", "convert", "report", "measure")
            or path.name == "cli.py"
        ):
            continue
        for module, _ in imports(path):
            assert not module.startswith("snnlab.train"), f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("path", files("analysis"), ids=lambda p: p.name)
def test_pictures_are_drawn_of_plain_data(path: Path) -> None:
    for module, _ in imports(path):
        assert module.split(".")[0] != "torch", module
        if module.startswith("snnlab."):
            assert module.startswith("snnlab.analysis"), f"{path.name} imports {module}"


def test_nothing_but_its_command_knows_the_analyses() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        if path.parent.name not in ("measure", "verbs", "report"):
            for module, _ in imports(path):
                assert not module.startswith("snnlab.measure"), f"{path.relative_to(ROOT)} imports {module}"
