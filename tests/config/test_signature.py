"""Signatures are read from source: equal to what the running class says, and never imported."""

import dataclasses
import inspect
import sys
from pathlib import Path

import pytest

from snnlab import registry
from snnlab.config import schema
from snnlab.config.check import section
from snnlab.config.signature import read_component
from snnlab.errors import ConfigError

ALL = [(kind, name) for kind in registry.KINDS for name in registry.component_files(kind)]


def test_reads_without_importing(mine):
    found = read_component(mine / "my_pkg/neurons/foo_bar.py")
    assert found.class_name == "FooBar"
    assert found.summary == "A neuron that is checked but never built"
    assert list(found.keys) == ["decay", "tau", "reset", "sizes", "pair", "train_decay", "label", "mode"]
    assert found.keys["sizes"].default == (1, 2)
    assert "my_pkg.neurons.foo_bar" not in sys.modules


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_equals_the_class(kind, name):
    keys = read_component(registry.component_files(kind)[name][1]).keys
    parameters = inspect.signature(registry.load(kind, name)).parameters.values()
    expected = {one.name: one.default for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert {key: one.default for key, one in keys.items()} == expected
    for key, one in keys.items():
        assert one.type.convert(one.default) == one.default, key


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_component_says_what_it_is(kind, name):
    summary = read_component(registry.component_files(kind)[name][1]).summary
    assert 10 < len(summary) < 120


@pytest.mark.parametrize("name", ["trainer", "logger", "paths"])
def test_settings_equal_the_dataclass_and_are_documented(name):
    expected = {
        one.name: one.default for one in dataclasses.fields(getattr(schema, f"{name.capitalize()}Config"))
    }
    keys = section(name).keys
    assert {key: one.default for key, one in keys.items()} == expected
    assert all(one.doc for one in keys.values())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("class Other: pass", "no class named like the file"),
        ("class Bad:\n  def __init__(self, *, a=1): pass", "parameter 'a' needs a type and a default"),
        ("class Bad:\n  def __init__(self, *, a: int): pass", "parameter 'a' needs a type and a default"),
        ("class Bad:\n  def __init__(self, *, a: dict = 1): pass", "cannot have the type 'dict'"),
        ("class Bad:\n  def __init__(self, *, a: int = f()): pass", "the default 'f()' is not a plain value"),
        ("class Bad(:", "bad.py:1: "),
    ],
)
def test_says_what_is_wrong_with_a_component(tmp_path, body, message):
    file = tmp_path / "bad.py"
    file.write_text(body)
    with pytest.raises(ConfigError) as caught:
        read_component(file)
    assert message in caught.value.message
    assert str(Path("bad.py")) in caught.value.message
    assert caught.value.hint


def test_a_class_without_a_constructor_has_no_keys(tmp_path):
    (tmp_path / "plain.py").write_text('class Plain:\n    """Nothing."""\n')
    assert not read_component(tmp_path / "plain.py").keys
