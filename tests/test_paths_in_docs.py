"""Every file and module that the documentation and the comments of conf/ name exists."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
TEXTS = sorted([*DOCS, *ROOT.glob("conf/**/*.yaml"), *ROOT.glob("snnlab/**/*.py")])
# Files that the recipes of CONTRIBUTING.md create.
CREATED = set(re.findall(r'title="([^"]+)"', (ROOT / "CONTRIBUTING.md").read_text()))
FILE = re.compile(
    r"(?<![\w/.<>-])(?:snnlab|docs|conf|tests|scripts|results)(?:/[\w-]+)+\.(?:py|md|ya?ml|json)\b(?!/)"
)
MODULE = re.compile(r"(?<![\w./-])snnlab(?:\.[a-z_]\w*)+")
# As architecture.md names them, from the package on: `runs/identity.py`.
SHORT = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def _names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("file", TEXTS, ids=_names)
def test_files_exist(file):
    named = {name for name in FILE.findall(file.read_text()) if "NAME" not in name} - CREATED
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("file", DOCS, ids=_names)
def test_files_in_the_package_exist(file):
    named = set(SHORT.findall(file.read_text())) - CREATED
    roots = (ROOT, ROOT / "snnlab", ROOT / "snnlab/kernels/triton")
    assert sorted(name for name in named if not any((root / name).exists() for root in roots)) == []


@pytest.mark.parametrize("file", DOCS, ids=_names)
def test_links_lead_to_files(file):
    links = LINK.findall(file.read_text())
    assert [link for link in links if not (file.parent / link).exists()] == []


@pytest.mark.parametrize("file", DOCS, ids=_names)
def test_modules_exist(file):
    named = set(MODULE.findall(file.read_text()))
    assert sorted(name for name in named if not _exists(name)) == []


def _exists(name: str) -> bool:
    """Whether a dotted name is a module of the package, or a name in one."""
    *packages, last = name.split(".")
    found = ROOT.joinpath(*packages)
    if found.joinpath(last).is_dir() or found.joinpath(f"{last}.py").is_file():
        return True
    module = found.joinpath("__init__.py") if found.is_dir() else found.with_suffix(".py")
    return module.is_file() and hasattr(importlib.import_module(".".join(packages)), last)


def test_a_missing_name_is_found():
    assert not _exists("snnlab.no_such_package")
    assert not _exists("snnlab.config.no_such_module")
    assert FILE.findall("see `snnlab/no_such.py` and conf/table/*.yaml") == ["snnlab/no_such.py"]
