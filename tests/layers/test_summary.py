"""Parameters and multiply-accumulates against numbers worked out by hand and in the literature."""

import pytest
import torch
from torch import nn

from snnlab.layers.summary import summarise
from snnlab.models import VGGSNN, ResNet18SNN, ResNet19SNN, Spikformer
from snnlab.neurons import LIF, PLIF
from snnlab.norms import BN, TEBN


def test_small_vgg_by_hand():
    model = VGGSNN(LIF, BN, 2, 10, 16, channels=(4, 6))
    found = summarise(model, torch.empty(3, 1, 2, 16, 16))
    first, second, head = 4 * 2 * 9 * 256, 6 * 4 * 9 * 256, 6 * 64 * 10
    assert [(r.kind, r.output_shape, r.parameters, r.macs) for r in found.rows] == [
        ("Conv2d", (4, 16, 16), 4 * 2 * 9 + 4, first),
        ("BatchNorm", (4, 16, 16), 8, 0),
        ("LIF", (4, 16, 16), 0, 0),
        ("Conv2d", (6, 16, 16), 6 * 4 * 9 + 6, second),
        ("BatchNorm", (6, 16, 16), 12, 0),
        ("LIF", (6, 16, 16), 0, 0),
        ("AvgPool2d", (6, 8, 8), 0, 0),
        ("SharedDropout", (384,), 0, 0),
        ("Linear", (10,), 3850, head),
    ]
    assert found.macs == first + second + head
    assert found.parameters == sum(r.parameters for r in found.rows)


@pytest.mark.parametrize("steps", [1, 4])
def test_resnet19_has_the_published_cost(steps):
    """DS-ATGO prints 2285.35 M for its ResNet-19, whose weights are those of the 128-channel stem."""
    found = summarise(ResNet19SNN(LIF, BN, 3, 10, stem=128), torch.empty(steps, 1, 3, 32, 32))
    assert found.macs == 2_285_373_952
    stem_and_last = found.rows[0].macs + found.rows[-1].macs
    assert (found.rows[0].kind, found.rows[-1].kind) == ("Conv2d", "Linear")
    assert sum(row.macs for row in found.rows) == found.macs, "no layer is counted with those inside it"
    assert 2 * stem_and_last == pytest.approx(7.08e6, rel=1e-3)  # also printed there, for 2 steps


def test_resnet18_has_the_published_cost():
    """The circulate-firing paper's 6.94 mJ at 12.5 pJ for each operation."""
    found = summarise(ResNet18SNN(LIF, BN, 3, 10), torch.empty(2, 1, 3, 32, 32))
    assert found.macs * 12.5e-12 == pytest.approx(6.94e-3, rel=1e-3)


def test_attention_products_count_for_the_attention():
    model = Spikformer(LIF, BN, 3, 10, 16, depth=1, dim=32, heads=4)
    found = summarise(model, torch.empty(2, 1, 3, 16, 16))
    (attention,) = [row for row in found.rows if row.kind == "SpikingSelfAttention"]
    tokens, head_dim = 16, 8
    assert attention.macs == 4 * 2 * tokens * head_dim**2
    assert found.macs == sum(row.macs for row in found.rows)
    assert found.parameters == sum(row.parameters for row in found.rows)


def test_parameters_of_norms_and_neurons_are_counted():
    model = ResNet19SNN(PLIF, lambda c: TEBN(c, 2), 3, 10)
    found = summarise(model, torch.empty(2, 5, 3, 8, 8))
    assert found.parameters == 12_630_858 + 18 + 2 * 20  # a leak for each neuron, two scales for each norm
    assert sum(row.parameters for row in found.rows) == found.parameters
    assert {"PLIF", "TEBN", "BatchNorm"} <= {row.kind for row in found.rows}


def test_model_is_left_as_it_was():
    model = VGGSNN(LIF, BN, 2, 10, 16, channels=(4, 6))
    model.features[1].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    summarise(model, torch.empty(3, 1, 2, 16, 16))
    assert model.training
    assert not model.features[1].training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())
    assert model(torch.zeros(2, 2, 2, 16, 16)).shape == (2, 2, 10)


def test_large_network_costs_nothing_to_summarise():
    model = nn.Sequential(nn.Flatten(2), nn.Linear(3 * 4096 * 4096, 1, device="meta"))
    found = summarise(model, torch.empty(1, 1, 3, 4096, 4096, device="meta"))
    assert found.macs == 3 * 4096 * 4096
