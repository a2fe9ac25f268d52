"""Step by step with carried state, every network computes what it does at once, whoever leaves the batch."""

import inspect

import pytest
import torch
from torch import nn

from snnlab import registry
from snnlab.layers.streaming import Streaming
from snnlab.neurons import LIF, PLIF, ReLU
from snnlab.norms import BN, TEBN
from tests.models.builders import NETWORKS, SIZES, build

NEURONS = tuple(registry.component_files("neuron"))
T, B = 3, 3


def alive(name, neuron):
    """In float64, where batch sizes do not move a spike, with running statistics of real activity."""
    torch.manual_seed(0)
    size = {"vgg_snn": 16, "text_cnn_snn": 16, "spiking_bert": 16, **SIZES}.get(name, 8)
    model = build(name, neuron, norm=lambda c: BN(c, momentum=1.0), image_size=size).double()
    x = frames(T, size)
    with torch.no_grad():
        model(x)
    return model.eval(), x


def frames(steps, size=16):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(steps, B, 2, size, size, generator=generator, dtype=torch.float64)


def eager(**overrides):
    return LIF(**{"threshold": 0.1, **overrides})


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_every_network_streams(name):
    model, x = alive(name, eager)
    expected = model(x)
    assert (expected.diff(dim=0).abs().amax((1, 2)) > 1e-3).all(), "the state matters"
    with Streaming(model) as stream:
        streamed = torch.stack([stream(x_t) for x_t in x])
    torch.testing.assert_close(streamed, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(model(x), expected)


@torch.no_grad()
def test_the_network_itself_can_be_called_in_pieces():
    model, x = alive("vgg_snn", eager)
    with Streaming(model):
        streamed = torch.cat([model(x[:2]), model(x[2:])])
    torch.testing.assert_close(streamed, model(x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NEURONS)
@torch.no_grad()
def test_every_neuron_streams_while_samples_leave(name):
    torch.manual_seed(0)
    cls = registry.load("neuron", name)
    steps = {"num_steps": T} if "num_steps" in inspect.signature(cls).parameters else {}
    a, b = cls(**steps), cls(**steps)
    model = nn.Sequential(nn.Linear(64, 32), a, nn.Linear(32, 16), b, nn.Linear(16, 4)).double().eval()
    model[2].weight *= 8  # so that the second layer fires too
    x = frames(T, 4).flatten(2).repeat(1, 1, 2) * 5
    expected = model(x)
    assert (expected.diff(dim=0).abs().amax((1, 2)) > 1e-3).all()
    with Streaming(model) as stream:
        torch.testing.assert_close(stream(x[0]), expected[0])
        stream.keep(torch.tensor([2, 0]))
        torch.testing.assert_close(stream(x[1, [2, 0]]), expected[1, [2, 0]])
        stream.keep(torch.tensor([False, True]))
        torch.testing.assert_close(stream(x[2, :1]), expected[2, :1])


@torch.no_grad()
def test_a_state_with_the_batch_elsewhere():
    class Pair(LIF):
        """Keeps its potential twice: state [2, B, ...]."""

        batch_axis = 1

        def forward_with_state(self, x_T, state=None):
            spikes_T, v = super().forward_with_state(x_T, None if state is None else state[1])
            return spikes_T, torch.stack([v, v])

    x = frames(3).flatten(2)
    layer = Pair()
    with Streaming(nn.Sequential(layer)) as stream:
        stream(x[0])
        stream.keep(torch.tensor([2, 1]))
        assert torch.equal(stream(x[1, [2, 1]]), LIF()(x)[1, [2, 1]])


@torch.no_grad()
def test_a_layer_that_is_used_twice_has_two_states():
    neuron = LIF(decay=0.9)
    model = nn.Sequential(neuron, nn.Linear(512, 512), neuron).double()
    x = frames(T).flatten(2)
    expected = model(x)
    with Streaming(model) as stream:
        assert torch.equal(torch.stack([stream(x_t) for x_t in x]), expected)


@torch.no_grad()
def test_outside_the_block_nothing_is_left():
    neuron = PLIF()
    x = frames(2).float()
    expected = neuron(x)

    def fail():
        with Streaming(nn.Sequential(neuron)) as stream:
            stream(x[0] * 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert "forward" not in vars(neuron)
    assert torch.equal(neuron(x), expected)
    with Streaming(nn.Sequential(neuron)) as stream:
        assert torch.equal(stream(x[0]), expected[0])


@torch.no_grad()
def test_a_scale_per_time_step_cannot_be_streamed():
    with pytest.raises(ValueError, match=r"features\.1 \(TEBN\) has parameters for each time step"):
        Streaming(build("vgg_snn", norm=lambda c: TEBN(c, T)))
    Streaming(build("vgg_snn", ReLU))
