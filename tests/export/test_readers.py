"""spikingjelly, snntorch and norse compute what the network does, bit for bit, at every time step.

Weights and inputs are whole multiples of powers of two, so that no sum is rounded and its order does not matter.
"""

import pytest
import torch

from snnlab.export.nir import to_nir, write
from snnlab.export.readers import advice, step_of
from snnlab.neurons import IF, LIF
from snnlab.norms import BN
from tests.export import readers
from tests.models.builders import build, frames

STEPS = 4
READERS = {"spikingjelly": readers.spikingjelly, "snntorch": readers.snntorch, "norse": readers.norse}
NEURONS = {
    "lif": lambda **_: LIF(threshold=0.75, tau=2.0),
    "scaled": lambda **_: LIF(threshold=0.375, tau=2.0, decay_input=True),
    "quarter": lambda **_: LIF(threshold=0.75, tau=4.0),
    "if": lambda **_: IF(threshold=1.0),
    "reset": lambda **_: LIF(threshold=0.5, tau=2.0, v_reset=-0.25, v_init=-0.25),
}


def whole(x, unit):
    return (x / unit).round() * unit


def network(name, neuron):
    torch.manual_seed(0)
    model = build(name, neuron, norm=lambda c: BN(c, eps=0.0))
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if "running_var" in key:
                value.fill_(0.25)
            elif "running_mean" in key:
                value.copy_(whole(0.2 * torch.randn_like(value), 1 / 64))
            elif value.dim() > 1:
                value.copy_(whole(value, 1 / 64))
            elif key.endswith("bias"):
                value.copy_(whole(0.1 * torch.randn_like(value), 1 / 64))
    return model.eval(), whole(2 * frames(STEPS, batch=3, name=name), 1 / 16)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_chains_are_exact_at_every_step(reader, neuron, tmp_path):
    assert_equal("vgg_snn", neuron, reader, tmp_path / "network.nir")


@pytest.mark.parametrize("reader", ["spikingjelly", "snntorch"])
@pytest.mark.parametrize("name", ["resnet18_snn", "resnet20_snn", "sew_resnet19_snn", "ms_resnet18_snn"])
def test_residual_networks_are_exact_at_every_step(name, reader, tmp_path):
    assert_equal(name, "lif", reader, tmp_path / "network.nir")


def assert_equal(name, neuron, reader, path):
    model, x_TBCHW = network(name, NEURONS[neuron])
    write(model, x_TBCHW, path, reader=reader)
    with torch.inference_mode():
        logits_TBK = model(x_TBCHW)
        theirs_TBK = READERS[reader](path, x_TBCHW)
    for t in range(STEPS):
        assert torch.equal(theirs_TBK[t], logits_TBK[t]), (t, (theirs_TBK - logits_TBK).abs().amax((1, 2)))
        assert logits_TBK[t].std() > 0.01


def test_without_a_reader_spikingjelly_and_snntorch_take_networks_of_lif(tmp_path):
    model, x_TBCHW = network("resnet18_snn", lambda **_: LIF(threshold=0.7, tau=2.0))
    write(model, x_TBCHW, tmp_path / "network.nir")
    with torch.inference_mode():
        logits_TBK = model(x_TBCHW)
        for reader in (readers.spikingjelly, readers.snntorch):
            assert torch.equal(reader(tmp_path / "network.nir", x_TBCHW), logits_TBK)


@pytest.mark.parametrize(
    ("name", "reader", "dt", "message"),
    [
        ("vgg_snn", "sinabs", None, "sinabs reads no hard reset"),
        ("vgg_snn", "snntorch", 1e-3, "takes a time step for 0.0001 s in every file"),
        ("resnet18_snn", "norse", None, "norse would run .* before .*, whose output it takes"),
    ],
)
def test_what_a_reader_cannot_read_is_said(name, reader, dt, message):
    with pytest.raises(ValueError, match=message):
        to_nir(build(name), frames(1), dt, reader)


def test_a_step_other_than_the_readers_is_said():
    assert step_of("norse", None) == 1e-3
    assert "would read other decays" in advice("any", 1e-3)
    assert "would read other decays" not in advice("any", 1e-4)
    assert "from_nir(nir.read(file), dt=0.5); norse's own step is 0.001 s" in advice("norse", 0.5)
