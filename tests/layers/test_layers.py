"""Folding time into the batch, dropout that is shared over time, and attention."""

import pytest
import torch
from torch import nn

from snnlab.layers.attention import SpikingSelfAttention
from snnlab.layers.dropout import SharedDropout
from snnlab.layers.time import EachStep
from snnlab.neurons import LIF
from snnlab.norms import BN
from snnlab.time_axis import fold_time, unfold_time


def test_folding_is_undone_without_a_copy():
    x = torch.arange(48.0).view(2, 3, 4, 2)
    assert torch.equal(unfold_time(fold_time(x), 2), x)
    assert unfold_time(fold_time(x), 2).data_ptr() == x.data_ptr()


def test_each_step_equals_a_loop_over_steps():
    layer = EachStep(nn.Conv2d(3, 5, 3, padding=1), nn.AvgPool2d(2))
    x = torch.randn(4, 2, 3, 6, 6)
    looped = torch.stack([layer[1](layer[0](step)) for step in x])
    torch.testing.assert_close(layer(x), looped)
    still = x[:1].expand(4, -1, -1, -1, -1)
    torch.testing.assert_close(layer(still), layer(still.contiguous()))


def test_dropout_mask_is_held_over_time_and_differs_between_samples():
    torch.manual_seed(0)
    dropout, x = SharedDropout(0.4), torch.ones(5, 3, 2000)
    y = dropout(x)
    assert torch.equal(y, y[:1].expand_as(y))
    assert not torch.equal(y[0, 0], y[0, 1])
    assert y.unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert (y == 0).float().mean().item() == pytest.approx(0.4, abs=0.03)
    assert torch.equal(dropout.eval()(x), x)


@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_attention_is_q_kt_v_per_head(kind):
    torch.manual_seed(0)
    dim, heads = 24, 3
    attention = SpikingSelfAttention(dim, heads, 0.125, 0.5, kind, LIF, BN)
    assert attention.neuron.dynamics.threshold == 0.5
    attention.out = nn.Identity()
    seen = []
    attention.neuron = nn.Module()
    attention.neuron.forward = lambda y: seen.append(y) or y
    x = (torch.rand(2, 3, dim, 10) < 0.5).float()
    attention(x)
    with torch.no_grad():
        q, k, v = (p(x) for p in (attention.q, attention.k, attention.v))
    assert 0.02 < q.mean() < 0.98
    for h in range(heads):
        part = slice(8 * h, 8 * h + 8)
        scores = q[:, :, part].transpose(-1, -2) @ k[:, :, part]  # [T, B, N, N]
        expected = (scores @ v[:, :, part].transpose(-1, -2)).transpose(-1, -2) * 0.125
        torch.testing.assert_close(seen[0][:, :, part], expected)


def test_projections_have_the_published_biases():
    def biased(kind):
        attention = SpikingSelfAttention(16, 2, 0.125, 0.5, kind, LIF, BN)
        layers = {n: m for n, m in attention.named_modules() if isinstance(m, nn.Linear | nn.Conv1d)}
        return {name.split(".")[0] for name, layer in layers.items() if layer.bias is not None}

    assert biased("linear") == {"q", "k", "v", "out"}
    assert biased("conv") == {"out"}
