"""The recipes of CONTRIBUTING.md, tried as they stand there on a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.registry import KINDS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
SECTIONS = {
    match[1]: match[2]
    for match in re.finditer(r"^## How to add an? ([\w ]+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
}


def files_of(section: str) -> dict[str, str]:
    return {
        match[1]: match[2]
        for match in re.finditer(r'^```\w+ title="([^"]+)"\n(.*?)^```', section, re.M | re.S)
    }


def commands_of(section: str) -> list[list[str]]:
    """The arguments of Python for each command of a section; `make conf` is what the Makefile says."""
    target = re.search(r"^conf: .*\n\t\$\(BIN\)/python (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert target is not None
    return [
        shlex.split(target[1]) if line == "make conf" else ["-m", *shlex.split(line)]
        for line in re.findall(r"^    ((?:snnlab |make conf).*)$", section, re.M)
    ]


def component_of(files: dict[str, str]) -> tuple[str, str]:
    """Kind and name of what the files of a section add."""
    file = Path(next(iter(files)))
    kinds = {folder: kind for kind, folder in KINDS.items()}
    return kinds.get(file.parent.name, file.parent.name), file.stem


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("snnlab", "conf", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_kind_of_component_has_its_recipe() -> None:
    assert SECTIONS.keys() == {
        "neuron",
        "surrogate",
        "loss",
        "regulariser",
        "model",
        "data set",
        "experiment",
    }


@pytest.mark.parametrize("kind", SECTIONS)
def test_recipe(kind: str, copy: Path) -> None:
    files, commands = files_of(SECTIONS[kind]), commands_of(SECTIONS[kind])
    assert files
    assert commands
    for name, content in files.items():
        assert not (copy / name).exists()
        (copy / name).write_text(content)
    for command in commands:
        done = run(copy, *command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    group, name = component_of(files)
    listed = run(copy, "-m", "snnlab", "list", group)
    assert name in listed.stdout, listed.stderr


@pytest.mark.parametrize(("kind", "tests"), [("neuron", "tests/neurons"), ("surrogate", "tests/surrogates")])
def test_generated_tests_cover_a_new_component(kind: str, tests: str, copy: Path) -> None:
    files = files_of(SECTIONS[kind])
    for name, content in files.items():
        (copy / name).write_text(content)
    _, name = component_of(files)
    done = run(copy, "-m", "pytest", tests, "-k", name, "-p", "no:cacheprovider", "-rA")
    assert done.returncode == 0, done.stdout
    assert f"{name}" in done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) >= 3


def test_a_package_of_ones_own_joins_the_registry(tmp_path: Path) -> None:
    files = files_of(SECTIONS["neuron"])
    for name, content in files.items():
        target = tmp_path / name.replace("snnlab/", "my_lab/")
        target.parent.mkdir(parents=True)
        target.write_text(content)
    made = re.search(r"^    python (-m snnlab.config.component_yaml my_lab my_conf) ", TEXT, re.M)
    trained = re.search(r"^    (snnlab train --config-dir my_conf .+)$", TEXT, re.M)
    bare = re.search(r"^    (snnlab train plugins=.+)$", TEXT, re.M)
    assert made is not None
    assert trained is not None
    assert bare is not None
    said = ""
    for arguments in (
        ["-m", *shlex.split(bare[1]), "+debug=smoke"],
        shlex.split(made[1]),
        ["-m", *shlex.split(trained[1]), "+debug=smoke"],
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert "plugins  my_lab" in said
    assert (
        len(list(tmp_path.glob("runs/quickstart/*-ramp-*/seed0"))) == 1
    )  # the same run with a YAML and without
