"""A plugin package with two neurons, and a person's own folder of configs that chooses them."""

import sys
from textwrap import dedent

import pytest

FOO = '''
    """A neuron for tests. It imports what does not exist, so importing it fails."""
    import no_such_module
    from typing import Literal
    from snnlab.ranges import Fraction, PositiveInt

    Reset = Literal["hard", "soft"]

    class FooBar:
        """A neuron that is checked but never built.

        More text.
        """

        def __init__(
            self, surrogate=None, *, decay: Fraction = 0.5, tau: float | None = None,
            reset: Reset = "hard",
            sizes: tuple[PositiveInt, ...] = (1, 2), pair: tuple[int, float] = (1, 2.0),
            train_decay: bool = False,
            label: str = "x", mode: Literal["off", "on", "auto"] = "off",
        ):
            pass
'''
BAZ = '''
    """Another neuron for tests."""
    from snnlab.ranges import Positive

    class Baz:
        """A neuron with another key."""

        def __init__(self, *, beta: Positive = 1.0, reset: str = "none"):
            pass
'''
FILES = {
    "my_pkg/__init__.py": "",
    "my_pkg/neurons/__init__.py": "",
    "my_pkg/neurons/_helper.py": "",
    "my_pkg/neurons/foo_bar.py": FOO,
    "my_pkg/neurons/baz.py": BAZ,
    "my_conf/neuron/foo_bar.yaml": """
        name: foo_bar
        decay: 0.5
        tau: null
        reset: hard
        sizes: [1, 2]
        pair: [1, 2.0]
        train_decay: false
        label: x
        mode: off
    """,
    "my_conf/neuron/baz.yaml": """
        # Comes before the docstring.
        name: baz
        beta: 1.0
        reset: none
    """,
    "my_conf/experiment/mine.yaml": """
        # @package _global_
        # My experiment.
        defaults:
          - override /neuron: foo_bar
        plugins: [my_pkg]
        num_steps: 3
        neuron:
          decay: 0.25
          reset: soft
    """,
    "my_conf/experiment/heir.yaml": """
        # @package _global_
        # As mine, with another neuron.
        defaults:
          - mine
          - override /neuron: baz
    """,
}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Puts the files into the current folder and returns it."""
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    for module in [name for name in sys.modules if name.partition(".")[0] == "my_pkg"]:
        monkeypatch.delitem(sys.modules, module)
    return tmp_path
