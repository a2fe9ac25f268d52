"""Packages that only parts need: nothing else imports them, and an absent one is one error."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from snnlab.cli import main
from snnlab.packages import EXTRAS, MissingPackageError, need

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

TRAIN = """
import sys
from snnlab.cli import main
arguments = ["train", "+experiment=quickstart", "dataset=digits", "debug=smoke", "num_steps=2", "model.channels=[4,4]"]
assert main(arguments) == 0
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_training_on_digits_imports_none_of_them(tmp_path):
    command = [sys.executable, "-c", TRAIN]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = done.stdout.partition("imported: ")[2].split()
    assert "torch" in imported
    assert not {*EXTRAS, "jinja2", "torchvision"} & set(imported)


@pytest.mark.parametrize("package", EXTRAS)
def test_an_extra_installs_each(package):
    names = [re.split("[<>=]", one)[0] for one in PROJECT["optional-dependencies"][EXTRAS[package]]]
    assert package in names


def test_an_absent_package_is_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingPackageError, match="a teacher needs the package 'timm'") as caught:
        need("timm", "a teacher")
    assert caught.value.hint == "in the clone: pip install -e '.[teacher]', or anywhere: pip install timm"
    need("safetensors", "a file of weights")


def test_the_command_line_says_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "timm", None)
    teacher = ["loss=twd", "distill.teacher=resnet18", "distill.pretrained=true"]
    assert main(["train", "+experiment=quickstart", "debug=smoke", "num_steps=2", *teacher]) == 2
    assert (
        "error: distill.teacher: 'resnet18' is no run directory; a model of timm needs"
        in capsys.readouterr().err
    )


def test_nobody_is_told_to_install_somebody_elses_package():
    """The name snnlab belongs to another project in the package index."""
    assert PROJECT["name"] != "snnlab"
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("snnlab/**/*.py")]
    for file in files:
        assert not re.search(r"pip install +['\"]?snnlab", file.read_text()), file
