"""YAML files of components are written from constructors and docstrings."""

from pathlib import Path

import pytest

from snnlab.config.component_yaml import component_yaml, write
from snnlab.errors import ConfigError

COMPONENT = '''
class Thing:
    """A thing with keys.

    Args:
        x: handed in.
        share: how much of it,
            in all. As in the paper.
        rate: of change; null: none.
        fade: what is left of v, Eq. 20.
        sizes: of its parts.
        word: yes | no.
    """

    def __init__(
        self,
        x,
        *,
        share: Fraction = 0.5,
        rate: Positive | None = None,
        fade: HalfOpenFraction = 1e-6,
        sizes: tuple[int, ...] = (3, 4),
        word: Literal["yes", "no"] = "yes",
    ) -> None: ...
'''
KEYS = """\
share: 0.5  # how much of it, in all (0 to 1)
rate: null  # of change; null: none (> 0)
fade: 1.0e-06  # what is left of v, Eq. 20 (0 <= fade < 1)
sizes: [3, 4]  # of its parts
word: 'yes'  # yes | no
"""


def written(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "thing.py"
    file.write_text(source)
    return file


def test_keys_defaults_comments_and_bounds(tmp_path):
    text = component_yaml("neuron", written(tmp_path, COMPONENT))
    assert text == f"# A thing with keys\nname: thing\n{KEYS}"


def test_kinds_of_which_a_run_has_several_stand_below_their_name(tmp_path):
    text = component_yaml("augment", written(tmp_path, COMPONENT))
    assert text == "# A thing with keys\nthing:\n" + "".join(f"  {line}\n" for line in KEYS.splitlines())
    (tmp_path / "bare").mkdir()
    bare = written(tmp_path / "bare", 'class Thing:\n    """Nothing to set."""\n')
    assert component_yaml("augment", bare) == "# Nothing to set\nthing: {}\n"


def test_a_key_without_an_explanation_is_an_error(tmp_path):
    file = written(tmp_path, COMPONENT.replace("        word: yes | no.\n", ""))
    with pytest.raises(ConfigError, match="'word' is not explained") as caught:
        component_yaml("neuron", file)
    assert "Args:" in caught.value.hint


def test_a_package_of_ones_own_is_written_without_the_shipped_ones(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    neurons = tmp_path / "my_lab" / "neurons"
    neurons.mkdir(parents=True)
    (neurons / "thing.py").write_text(COMPONENT)
    write("my_lab", tmp_path / "my_conf")
    found = list((tmp_path / "my_conf").rglob("*.yaml"))
    assert found == [tmp_path / "my_conf" / "neuron" / "thing.yaml"]
    assert found[0].read_text().endswith(KEYS)
