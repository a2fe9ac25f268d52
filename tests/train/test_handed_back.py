"""A component of one's own that forgets its `return`, or returns something of another type, is named before a run."""

import importlib
import sys
import textwrap

import pytest

from snnlab.cli import main

HEAD = "import torch\nfrom torch import nn\n"
NEURON = """
from snnlab.neurons import Neuron
class Mine{n}(Neuron):
    "x.\\n\\n    Args:\\n        slope: x."
    def __init__(self, surrogate=None, *, slope: float = 0.1) -> None:
        super().__init__()
    def initial_state(self, x):
        {state}
    def forward_with_state(self, x_T, state=None):
        state = self.initial_state(x_T[0]) if state is None else state
        {spikes}
"""
SURROGATE = """
from snnlab.surrogates import Surrogate
class Mine{n}(Surrogate):
    "x."
    def gradient(self, u):
        {gradient}
    def primitive(self, u):
        return u
"""
LOSS = """
from snnlab.losses import Loss
class Mine{n}(Loss):
    "x."
    def terms(self, logits_TBK, target):
        {terms}
"""
REGULARISER = """
from snnlab.regularisers import Regulariser
class Mine{n}(Regulariser):
    "x.\\n\\n    Args:\\n        weight: x."
    def __init__(self, *, weight: float = 0.1) -> None:
        super().__init__()
    def term(self, model):
        {term}
"""
MODEL = """
class Mine{n}(nn.Module):
    "x."
    def __init__(self, neuron, norm, in_channels: int, num_classes: int, image_size: int) -> None:
        super().__init__()
        self.head = nn.Linear(in_channels, num_classes)
    def forward(self, x_TBCHW):
        {logits}
"""
AUGMENT = """
from snnlab.augments import Augment
class Mine{n}(Augment):
    "x."
    def forward(self, x_BTCHW, generator=None):
        {batch}
"""
DATASET = """
import numpy as np
from snnlab.data.dataset import ArraySet, Status
from snnlab.data.image_data import ImageData
class Mine{n}(ImageData):
    "x.\\n\\n    Args:\\n        image_size: x.\\n        split: x."
    num_classes, class_names, reads_files, in_channels, raw_shape = 2, ("a", "b"), True, 1, (1, 16, 16)
    mean, std = (0.5,), (0.5,)
    def __init__(self, root, num_steps=1, *, image_size: int = 16, split: str = "all") -> None:
        super().__init__(root, image_size, split)
        self.all = ArraySet(np.zeros((8, 1, 16, 16), np.uint8), np.arange(8) % 2, np.arange(8))
    def data_files(self):
        return None
    def _train_set(self):
        {train}
    def _test_set(self):
        {test}
    def status(self):
        return Status(True, None, 8, 8, note="generated")
"""
RIGHT = {
    "train": "return self.all",
    "test": "return self.all",
    "state": "return torch.zeros_like(x)",
    "spikes": "return x_T, state",
    "gradient": "return torch.ones_like(u)",
    "terms": "return {'ce': logits_TBK.square().mean()}",
    "term": "return next(model.parameters()).square().sum()",
    "logits": "return self.head(x_TBCHW.mean((-1, -2)))",
    "batch": "return x_BTCHW",
}
KINDS = {
    "neuron": (NEURON, "neurons"),
    "surrogate": (SURROGATE, "surrogates"),
    "loss": (LOSS, "losses"),
    "regulariser": (REGULARISER, "regularisers"),
    "model": (MODEL, "models"),
    "augment": (AUGMENT, "augments"),
    "dataset": (DATASET, "datasets"),
}
WRONG = [
    ("neuron", "spikes", "pass", "forward_with_state returns nothing"),
    ("neuron", "spikes", "return x_T", "forward_with_state returns a tensor 2 x 2 x 4 x 16 x 16"),
    ("neuron", "spikes", "return list(x_T), state", "forward_with_state returns a tuple of 2"),
    ("neuron", "state", "pass", "initial_state returns nothing"),
    ("surrogate", "gradient", "pass", "gradient returns nothing"),
    ("loss", "terms", "pass", "terms returns nothing"),
    ("loss", "terms", "return logits_TBK.mean()", "terms returns a tensor"),
    ("loss", "terms", "return {'ce': logits_TBK.mean(0)}", "terms returns a dict of 1"),
    ("loss", "terms", "return {'ce': 0.0}", "terms returns a dict of 1"),
    ("regulariser", "term", "pass", "term returns nothing"),
    ("regulariser", "term", "return 0.5", "term returns a float"),
    ("model", "logits", "pass", "forward returns nothing"),
    ("model", "logits", "return [x_TBCHW]", "forward returns a list of 1"),
    ("augment", "batch", "pass", "forward returns nothing"),
    ("dataset", "train", "pass", "_train_set returns nothing"),
    ("dataset", "test", "pass", "_test_set returns nothing"),
]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a package with one component of a kind, and gives the arguments that choose it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(kind, **bodies):
        name = f"their_lab{len(list(tmp_path.glob('*')))}_{tmp_path.name}".replace("[", "_").replace("]", "_")
        names.append(name)
        source, folder = KINDS[kind]
        (tmp_path / name / folder).mkdir(parents=True)
        for one in (name, f"{name}/{folder}"):
            (tmp_path / one / "__init__.py").touch()
        text = source
        for part, body in {**RIGHT, "n": "", **bodies}.items():
            text = text.replace(f"{{{part}}}", body)
        (tmp_path / name / folder / "mine.py").write_text(HEAD + textwrap.dedent(text))
        importlib.invalidate_caches()
        chosen = f"+{kind}.mine={{}}" if kind in ("regulariser", "augment") else f"{kind}=mine"
        own = [f"plugins=[{name}]", chosen]
        small = ["~model.channels"] if kind == "model" else ["model.channels=[4,4]"]
        return ["+experiment=quickstart", "num_steps=2", *small, *own, f"paths.runs={tmp_path / 'runs'}"]

    yield write
    for name in [one for one in sys.modules if one.partition(".")[0] in names]:
        del sys.modules[name]


@pytest.mark.parametrize(("kind", "part", "body", "said"), WRONG)
def test_what_is_returned_by_mistake_is_one_error_that_names_the_file(
    package, capsys, kind, part, body, said
):
    line = package(kind, **{part: body})
    for verb in ("check", "train"):
        assert main([verb, *line]) == 2
        error, hint = capsys.readouterr().err.splitlines()[-2:]
        assert error.startswith("error: /")
        assert error.endswith(f"/mine.py: Mine.{said}")
        assert hint.startswith("hint: it is to return ")


@pytest.mark.parametrize("kind", KINDS)
def test_what_returns_as_it_should_is_let_through(package, capsys, kind):
    assert main(["check", *package(kind)]) == 0, capsys.readouterr().err
