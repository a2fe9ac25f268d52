"""Layers are named as a person would name them: counted from 1, by block, each name once."""

import re

import pytest
import torch
from torch import nn

from snnlab.neurons import Neuron
from snnlab.plots.layer_names import layer_names
from tests.models.builders import LARGE, NAMES, build


@pytest.mark.parametrize(
    ("places", "what", "names"),
    [
        (["features.2", "features.5", "features.9"], "neuron", ["conv 1", "conv 2", "conv 3"]),
        (["features.0.0", "features.3.0", "head"], "conv", ["conv 1", "conv 2", "head"]),
        (
            ["stem.2", "stages.0.0.body.2", "stages.0.0.neuron", "stages.1.0.body.2"],
            "neuron",
            ["stem", "block 1.1 neuron 1", "block 1.1 neuron 2", "block 2.1 neuron 1"],
        ),
        (
            ["stages.1.0.body.0.0", "stages.1.0.body.3.0", "stages.1.0.shortcut.0.0"],
            "conv",
            ["block 2.1 conv 1", "block 2.1 conv 2", "block 2.1 shortcut"],
        ),
        (
            ["tokenizer.2", "tokenizer.5", "blocks.0.attention.q.2", "blocks.0.mlp.0.2", "blocks.0.mlp.1.2"],
            "neuron",
            ["tokenizer 1", "tokenizer 2", "block 1 attention q", "block 1 mlp 1", "block 1 mlp 2"],
        ),
        (
            ["stages.0.embedding.main.3", "stages.0.blocks.1.mlp.0.2"],
            "neuron",
            ["stage 1 embedding main", "block 1.2 mlp"],
        ),
        (
            ["embedding", "network.neurons.0", "hidden_neuron"],
            "neuron",
            ["embedding", "neuron 1", "hidden neuron"],
        ),
        (
            ["blocks.0.key_neuron", "blocks.0.last_neuron", "neuron"],
            "neuron",
            ["block 1 key neuron", "block 1 last neuron", "neuron 1"],
        ),
        (
            ["convs.0", "convs.1", "stages.1.1.convs.0"],
            "conv",
            ["conv 1", "conv 2", "block 2.2 conv 1"],
        ),
        (["fc1", "all neurons"], "neuron", ["fc1", "all neurons"]),
    ],
)
def test_names(places, what, names):
    assert list(layer_names(places, what).values()) == names


def test_every_layer_has_a_name_of_its_own():
    places = ["stages.0.0.a.0", "stages.0.0.a.1", "blocks.0.x", "x.0", "x.1", "0", "1"]
    found = layer_names(places)
    assert list(found) == places
    assert len(set(found.values())) == len(places)


@pytest.mark.parametrize("name", [one for one in NAMES if one not in LARGE])
def test_no_place_is_shown_of_any_network(name):
    with torch.device("meta"):
        model = build(name)
    for what, kinds in (("neuron", (Neuron,)), ("conv", (nn.Conv2d, nn.Conv1d, nn.Linear))):
        places = [place for place, module in model.named_modules() if isinstance(module, kinds)]
        names = layer_names(places, what)
        assert places
        assert len(set(names.values())) == len(places)
        for place, said in names.items():
            assert "." not in place or said != place
            # A point only between the numbers of a block, such as 2.1.
            assert re.fullmatch(r"[A-Za-z0-9 ]+( \d+\.\d+)?[A-Za-z0-9 ]*", said), said
