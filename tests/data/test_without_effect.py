"""A key that another key's value leaves without effect is refused, in every data set that has such keys."""

import inspect

import pytest

from snnlab import registry
from snnlab.cli import main

SETS = {name: registry.load("dataset", name) for name in registry.component_files("dataset")}
EVENTS = [name for name, cls in SETS.items() if "by" in inspect.signature(cls).parameters]
TEXTS = [name for name, cls in SETS.items() if "vectors" in inspect.signature(cls).parameters]


def default(name, key):
    return inspect.signature(SETS[name]).parameters[key].default


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("by", ["number", "time", "duration"])
def test_every_key_of_the_framing_with_every_mode(name, by, tmp_path):
    for key, value, used in (("duration_ms", 41.0, by == "duration"), ("tail", "drop", by == "number")):
        assert value != default(name, key)
        SETS[name](tmp_path, 4, by=by, **{key: default(name, key)})
        if used:
            SETS[name](tmp_path, 4, by=by, **{key: value})
            continue
        with pytest.raises(
            ValueError, match=rf"dataset\.{key}={value} has an effect with .* only, not with"
        ) as caught:
            SETS[name](tmp_path, 4, by=by, **{key: value})
        assert f"dataset.by={by}" in str(caught.value)


@pytest.mark.parametrize("name", TEXTS)
def test_the_size_of_learned_vectors_with_given_ones(name, tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_text("good 1 2 3\nbad 2 3 4\n")
    SETS[name](tmp_path, dim=20)
    assert SETS[name](tmp_path, vectors=str(file)).dim == 3
    with pytest.raises(ValueError, match=r"dataset\.dim=20 has an effect with dataset\.vectors=null only"):
        SETS[name](tmp_path, vectors=str(file), dim=20)


def test_it_is_one_error_on_the_command_line(tmp_path, capsys):
    words = ["train", "+experiment=quickstart", "dataset=digits_dvs", "dataset.duration_ms=50"]
    assert main([*words, f"paths.data={tmp_path}", f"paths.runs={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert said.count("error:") == said.count("hint:") == 1
    assert "dataset.duration_ms=50.0 has an effect with dataset.by=duration only" in said
