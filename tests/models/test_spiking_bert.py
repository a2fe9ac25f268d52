"""SpikingBERT against an independent computation, step by step, and with its embedding."""

import math

import pytest
import torch
from torch.nn import functional as F

from snnlab.layers.embedding import Embedded
from snnlab.layers.running_mean import RunningMean
from snnlab.layers.streaming import Streaming
from snnlab.layers.word_currents import WordCurrents
from snnlab.models import SpikingBERT
from snnlab.neurons import IF

T, B, L, D, HEADS = 5, 3, 6, 8, 2


def neuron(**overrides):
    return IF(reset="soft", threshold=0.5, **overrides)


def network():
    torch.manual_seed(0)
    model = SpikingBERT(neuron, 1, 4, (L, D), depth=2, heads=HEADS, mlp_ratio=2).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    words = torch.randint(3, 20, (B, L))
    words[:, 2] = 2
    words[1, 4:] = 0
    embedding = WordCurrents(20, D, L, separator=2).double().eval()
    return Embedded(embedding, model), words.double()[None, :, None, :, None].expand(T, -1, -1, -1, -1)


def integrated(potential, current):
    potential = current if potential is None else potential + current
    spikes = (potential >= 0.5).to(current.dtype)
    return potential - 0.5 * spikes, spikes


def by_hand(net, words):
    """The released forward pass: every layer's potential is kept, the time steps are the outer loop."""
    e, m = net.embedding, net.network
    ids = words[0, :, 0, :, 0].long()
    segments = torch.tensor([[0, 0, 0, 1, 1, 1]]).expand(B, -1)
    current = F.layer_norm(
        e.weight[ids] + e.position + e.segment[segments], (D,), e.norm.weight, e.norm.bias, 1e-12
    )
    current = current * (ids != 0)[..., None]
    current = torch.cat([m.cls_D.expand(B, 1, D), current], 1)
    mask = torch.where(torch.cat([torch.ones(B, 1), ids != 0], 1) == 1, 0.0, -1e30)[:, None]
    potentials, total, logits = {}, torch.zeros(B, D, dtype=torch.double), []

    def fire(key, value):
        potentials[key], spikes = integrated(potentials.get(key), value)
        return spikes

    for t in range(T):
        s = fire("in", current)
        for i, b in enumerate(m.blocks):
            k, v, q = fire((i, "k"), b.key(s)), fire((i, "v"), b.value(s)), b.query(s)
            heads = []
            for h in range(HEADS):
                part = slice(h * D // HEADS, (h + 1) * D // HEADS)
                scores = q[..., part] @ k[..., part].mT / math.sqrt(D / HEADS) + mask
                heads.append(torch.softmax(scores, -1) @ v[..., part])
            a = fire((i, "a"), torch.cat(heads, -1))
            o = fire((i, "o"), b.output_norm(b.output(a) + s))
            h = fire((i, "h"), F.gelu(b.up(o)))
            s = fire((i, "s"), b.last_norm(b.down(h) + o))
        total = total + s[:, 0]
        logits.append(m.head(total / (t + 1)))
    return torch.stack(logits)


def test_it_is_the_released_forward_pass_with_an_answer_at_each_step():
    net, words = network()
    with torch.no_grad():
        logits = net(words)
        torch.testing.assert_close(logits, by_hand(net, words))
    assert (logits.diff(dim=0).abs().amax((1, 2)) > 1e-3).all()


def test_padding_changes_nothing():
    net, words = network()
    with torch.no_grad():
        net.embedding.position[4:] += 1
        other = net(words)[:, 1]
        net.embedding.position[4:] += 5
        assert torch.equal(net(words)[:, 1], other)
        assert not torch.equal(net(words)[:, 0], net(words)[:, 1])


def test_a_second_question_is_of_another_segment():
    net, words = network()
    with torch.no_grad():
        before = net.embedding(words)[0, 0, 0]
        net.embedding.segment[1].mul_(-3).add_(torch.linspace(0, 1, D))
        after = net.embedding(words)[0, 0, 0]
    assert torch.equal(before[:3], after[:3]), "the separator ends the first one"
    assert (before[3:] != after[3:]).any(-1).all()


def test_step_by_step_and_in_parts_it_gives_the_same():
    net, words = network()
    with torch.no_grad():
        whole = net(words)
        with Streaming(net) as stream:
            for t in range(3):
                torch.testing.assert_close(stream(words[t]), whole[t])
            stream.keep(torch.tensor([2, 0]))
            torch.testing.assert_close(net(words[3:, [2, 0]]), whole[3:, [2, 0]])


def test_the_mean_counts_in_single_precision():
    mean = RunningMean()
    x = torch.ones(300, 1, 2, dtype=torch.bfloat16)
    x[:, :, 1] = 0
    assert torch.equal(mean(x), x)


def test_the_width_has_to_fit_the_heads():
    with pytest.raises(ValueError, match=r"a word of 100 numbers is no multiple of heads \(12\)"):
        SpikingBERT(IF, 1, 2, (25, 100))
