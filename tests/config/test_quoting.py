"""Names of folders with spaces, brackets, commas and quotes: in overrides, in our own commands, and in hints."""

import os
import re
import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

from snnlab.cli import main
from snnlab.config.quoting import on_shell, quoted, unquoted
from snnlab.config.read_arguments import read_arguments
from snnlab.convert.arguments import ConvertArguments
from snnlab.runs.load import load
from snnlab.tables.planned import PlannedRun

NAMES = (
    "a (1)",
    "a,b",
    "a=b",
    "it's",
    'q"q',
    "a[1]",
    "x{y}",
    "a;b",
    "cat 🐈",
    "#hash",
    "back\\slash",
    "back\\'quote",
    "end\\",
    "Käse",
    "a: b",
    "'all'",
    "$HOME",
    "null",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("above", ["", "/data/"])
def test_hydra_reads_what_was_quoted_and_so_do_our_own_arguments(name, above):
    text = above + name
    override = OverridesParser.create().parse_override(f"key={quoted(text)}")
    assert not override.is_sweep_override()
    if text != "null":
        assert str(override.value()) == text
    assert unquoted(quoted(text)) == text
    (word,) = shlex.split(on_shell("key", text))
    assert word == f"key={quoted(text)}"


@pytest.mark.parametrize("name", NAMES)
def test_folders_with_such_names_in_our_own_commands(tmp_path, name):
    runs = tmp_path / name
    run = runs / "quickstart/net-1234/seed0"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text("{}")
    for given in (str(run), quoted(run)):
        asked = read_arguments(ConvertArguments, [f"run={given}"])
        assert asked.run == run
    parse = OverridesParser.create().parse_override
    settings = {one.key_or_group: one.value() for one in map(parse, asked.settings)}
    assert Path(settings["init.run"]) == run
    assert Path(settings["paths.runs"]) == runs
    cfg = load([f"paths.data={quoted(runs)}"])
    assert cfg.paths.data == runs
    planned = object.__new__(PlannedRun)
    object.__setattr__(planned, "cfg", cfg)
    object.__setattr__(planned, "checkpoint", "last")
    assert load(planned.about_it).paths.data == runs


@pytest.mark.parametrize("name", [one for one in NAMES if "," not in one and one[0] != "'"])
def test_a_path_that_hydra_cannot_read_is_taken_as_it_is(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for given in (f"{tmp_path}/{name}", f"./{name}"):
        assert load([f"paths.runs={given}"]).paths.runs == tmp_path / name


def test_a_hint_is_a_word_that_can_be_copied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "dataset.folder=pets (1)"]) == 2
    assert "hint: quote a value" in (said := capsys.readouterr().err)
    assert shlex.split(said)[-1] == "dataset.folder='pets (1)'"
    os.mkdir("a,b")
    assert main(["check", "paths.runs=a,b"]) == 2
    (word,) = re.findall(r"or ('paths.runs.*) for the folder", capsys.readouterr().err)
    assert load(shlex.split(word)).paths.runs == tmp_path / "a,b"


def test_the_hint_about_broken_pictures_can_be_copied(tmp_path, capsys):
    folder = tmp_path / "my pets (1)"
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        Image.new("L", (16, 16)).save(folder / name / "whole.png")
        for number in range(3):
            (folder / name / f"{number}.png").write_bytes(b"no picture")
    given = ["dataset=image_folder", f"dataset.folder={folder}", f"paths.data={tmp_path / 'data'}"]
    assert main(["train", *given, f"paths.runs={tmp_path / 'runs'}"]) == 2
    (words,) = re.findall(r"snnlab (data verify .*) names all", capsys.readouterr().err)
    assert main([*shlex.split(words), f"paths.data={tmp_path / 'data'}"]) == 1
    assert capsys.readouterr().out.count("cannot be read") == 6
