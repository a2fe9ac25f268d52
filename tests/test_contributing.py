"""The recipes of CONTRIBUTING.md, tried as they stand there on a copy of the project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    return [shlex.split(line) for line in re.findall(r"^    snnlab (.+)$", section, re.M)]


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
    yaml = next(Path(name) for name in files if name.startswith("conf/"))
    listed = run(copy, "-m", "snnlab", "list", yaml.parent.name)
    assert yaml.stem in listed.stdout, listed.stderr
    for command in commands:
        done = run(copy, "-m", "snnlab", *command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(("kind", "tests"), [("neuron", "tests/neurons"), ("surrogate", "tests/surrogates")])
def test_generated_tests_cover_a_new_component(kind: str, tests: str, copy: Path) -> None:
    files = files_of(SECTIONS[kind])
    for name, content in files.items():
        (copy / name).write_text(content)
    name = next(Path(file).stem for file in files)
    done = run(copy, "-m", "pytest", tests, "-k", name, "-p", "no:cacheprovider", "-rA")
    assert done.returncode == 0, done.stdout
    assert f"{name}" in done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) >= 3


def test_a_package_of_ones_own_joins_the_registry(tmp_path: Path) -> None:
    files = files_of(SECTIONS["neuron"])
    for name, content in files.items():
        target = tmp_path / name.replace("snnlab/", "my_lab/").replace("conf/", "my_conf/")
        target.parent.mkdir(parents=True)
        target.write_text(content)
    command = re.search(r"^    (snnlab train --config-dir my_conf .+)$", TEXT, re.M)
    assert command is not None
    arguments = shlex.split(command[1])[1:]
    done = subprocess.run(
        [sys.executable, "-m", "snnlab", *arguments, "+debug=smoke"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "my_lab" in done.stdout
