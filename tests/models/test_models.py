"""Every registered model gives logits of each step, for any number of steps, with any neuron, norm and precision."""

import pytest
import torch

from snnlab import registry
from snnlab.neurons import CF, DSATGO, LIF, PLIF, ReLU
from snnlab.norms import TDBN, TEBN
from tests.models.builders import NETWORKS, OF_ANY_NEURON, alive, build, frames


@pytest.mark.parametrize("name", NETWORKS)
def test_any_number_of_steps_gives_logits_of_each_step(name):
    model = alive(name)
    with torch.no_grad():
        long = model(frames(5, name=name))
        assert long.shape == (5, 2, 7)
        assert (long.diff(dim=0).abs().amax((1, 2)) > 1e-3).all()
        assert ((long[:, 0] - long[:, 1]).abs().amax(1) > 1e-3).all()
        torch.testing.assert_close(model(frames(5, name=name)[:2]), long[:2])  # no step sees a later one
        assert torch.equal(model(frames(5, name=name)), long)  # nothing is left in the model


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    model = build(name, neuron=PLIF)
    model(frames(3, name=name)).square().sum().backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert missing == []


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_with_relu_it_is_an_ann_whose_steps_are_alike(name):
    model = alive(name, neuron=ReLU)
    x = frames(1, name=name).expand(3, -1, -1, -1, -1)
    with torch.no_grad():
        logits = model(x)
        torch.testing.assert_close(logits, model(x[:1]).expand(3, -1, -1))
        assert logits.std() > 1e-3


@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_neurons_come_from_the_factory_and_none_is_shared(name):
    made = []

    def neuron(**overrides):
        made.append(LIF(**overrides))
        return made[-1]

    model = build(name, neuron=neuron)
    inside = [m for m in model.modules() if isinstance(m, LIF)]
    assert len(inside) == len(made) > 0
    assert {id(m) for m in inside} == {id(m) for m in made}
    calls = []
    for m in inside:
        m.register_forward_hook(lambda module, *_: calls.append(module))
    with torch.no_grad():
        model(frames(1, name=name))
    assert len(calls) == len(set(calls)) == len(made)


@pytest.mark.parametrize("norm", [lambda c: TDBN(c, 1.0), lambda c: TEBN(c, 4)], ids=["tdbn", "tebn"])
@pytest.mark.parametrize("name", NETWORKS)
def test_other_norms_fit(name, norm):
    assert build(name, norm=norm)(frames(2, name=name)).shape == (2, 2, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_autocast(name):
    torch.manual_seed(0)
    model = build(name)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(frames(2, name=name))
    logits.float().square().sum().backward()
    assert logits.shape == (2, 2, 7)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("neuron", [CF, lambda **o: DSATGO(num_steps=4, **o)], ids=["cf", "dsatgo"])
@pytest.mark.parametrize("name", OF_ANY_NEURON)
def test_neurons_of_other_kinds_fit(name, neuron):
    model = build(name, neuron=neuron)
    model(frames(2, name=name)).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_compiled_model_equals_eager(name):
    model = alive(name)
    with torch.no_grad():
        expected = model(frames(3, name=name))
        compiled = torch.compile(model, fullgraph=True)(frames(3, name=name))
    # Fused convolutions round differently, so a spike may flip; the logits stay close on average.
    assert (compiled - expected).abs().mean() < 0.1 * expected.abs().mean()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_2d_convolutions_says_so(name):
    """`trainer.channels_last=auto` asks for `convolutional`: 2-D convolutions, and no attention."""
    layers = [type(module) for module in build(name).modules()]
    attention = any(layer.__name__.endswith("Attention") for layer in layers)
    convolutional = torch.nn.Conv2d in layers and not attention
    assert getattr(registry.load("model", name), "convolutional", False) is convolutional
