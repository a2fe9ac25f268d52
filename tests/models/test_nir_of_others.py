"""Networks of NIR graphs compute what the simulator does that wrote the graph, and what others read in it."""

import contextlib
import io
import warnings

import nir
import numpy as np
import pytest
import torch
from torch import nn

from snnlab.layers.recurrent import Recurrent
from snnlab.models import NIR
from snnlab.neurons import LIF
from tests.export import readers
from tests.models.nir_graphs import BATCH, CLASSES, SIZE, STEPS, ends, frames, graph_file, linear


def soft(**given):
    return LIF(reset="soft", **given)


def snntorch_networks():
    import snntorch as snn

    def full(*shape, value=0.9):
        return torch.full(shape, value)

    def net(*hidden, inputs=128, reset="zero", first=()):
        first = first or (nn.Flatten(),)
        last = snn.Leaky(
            beta=full(CLASSES, value=0.7), threshold=full(CLASSES, value=0.5), output=True, **how(reset)
        )
        return nn.Sequential(*first, nn.Linear(inputs, 20), *hidden, nn.Linear(20, CLASSES), last)

    def how(reset):
        return {"init_hidden": True, "reset_mechanism": reset, "reset_delay": False}

    zero, subtract, ones = how("zero"), how("subtract"), full(20, value=1.0)
    varied = {"beta": torch.linspace(0.1, 0.95, 20), "threshold": torch.linspace(0.2, 0.9, 20)}
    higher = {**varied, "threshold": torch.linspace(0.6, 0.9, 20)}
    conv = nn.Conv2d(2, 4, 3, padding=1)
    spikes = snn.Leaky(beta=full(4, 8, 8), threshold=full(4, 8, 8, value=0.5), **zero)
    leaky = snn.Leaky(beta=full(20), threshold=ones, **zero)
    return {
        "leaky": (net(leaky), LIF),
        "conv": (net(leaky, inputs=64, first=(conv, spikes, nn.AvgPool2d(2), nn.Flatten())), LIF),
        "varied": (net(snn.Leaky(**varied, **zero)), LIF),
        "subtract": (net(snn.Leaky(beta=full(20), threshold=ones, **subtract), reset="subtract"), soft),
        "subtract-varied": (net(snn.Leaky(**higher, **subtract), reset="subtract"), soft),
        "synaptic": (
            net(snn.Synaptic(alpha=full(20, value=0.6), beta=full(20), threshold=ones, **zero)),
            LIF,
        ),
        "recurrent": (net(snn.RLeaky(beta=0.9, linear_features=20, **zero)), LIF),
        "one-to-one": (
            net(snn.RLeaky(beta=0.9, all_to_all=False, V=torch.linspace(-1, 1, 20), **zero)),
            LIF,
        ),
    }


@pytest.mark.parametrize("name", list(snntorch_networks()))
@torch.no_grad()
def test_networks_of_snntorch(name, tmp_path):
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(0)
    net, neuron = snntorch_networks()[name]
    for module in net.modules():
        if isinstance(module, nn.Linear) and module.in_features != module.out_features:
            # With more, potentials stay above the threshold after a subtraction, and snntorch subtracts once more.
            module.weight *= 1 if "subtract" in name else 4
    x_TBCHW = frames()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nir.write(tmp_path / "net.nir", export_to_nir(net, x_TBCHW[0], ignore_dims=[0]))
    utils.reset(net)
    expected_TBK = torch.stack([net(x_BCHW)[0] for x_BCHW in x_TBCHW])
    model = NIR(neuron, 2, CLASSES, (SIZE, SIZE), tmp_path / "net.nir")
    assert 0.01 < expected_TBK.mean() < 0.9
    assert torch.equal(model(x_TBCHW), expected_TBK)
    assert any(isinstance(module, Recurrent) for module in model.modules()) == (
        name in ("recurrent", "one-to-one")
    )


@pytest.mark.parametrize("told", [{"dt": 1.0}, {}], ids=["seconds", "default"])
@pytest.mark.parametrize("cell", ["LIFBox", "LIBox", "IAF"])
@torch.no_grad()
def test_networks_of_norse(cell, told, tmp_path):
    """Norse writes time constants times the dt that it is told, 0.001 by default."""
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir

    torch.manual_seed(0)
    vectors = {
        "LIFBox": ("tau_mem_inv", "v_th", "v_leak"),
        "LIBox": ("tau_mem_inv", "v_leak"),
        "IAF": ("v_th",),
    }
    parameters = getattr(norse, f"{cell}Parameters")()
    parameters = parameters._replace(
        **{key: getattr(parameters, key) * torch.ones(20) for key in vectors[cell]}
    )
    # Norse's defaults are made when it is imported, which may have been in inference mode.
    own = (value.clone() if isinstance(value, torch.Tensor) else value for value in parameters)
    parameters = type(parameters)(*own)
    net = norse.SequentialState(
        nn.Linear(128, 20), getattr(norse, f"{cell}Cell")(parameters), nn.Linear(20, CLASSES)
    )
    net[0].weight *= 20
    x_TBCHW = frames()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nir.write(tmp_path / "net.nir", to_nir(net, x_TBCHW[0, 0].flatten(), **told))
    state, expected = None, []
    for x_BCHW in x_TBCHW:
        y_BK, state = net(x_BCHW.flatten(1), state)
        expected.append(y_BK)
    expected_TBK = torch.stack(expected)
    dt = 1.0 if cell == "IAF" else 1e-3 if told else 1e-6
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), tmp_path / "net.nir", dt=dt)
    assert expected_TBK.std() > 0.1
    torch.testing.assert_close(model(x_TBCHW), expected_TBK, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_networks_of_spikingjelly(tmp_path):
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    torch.manual_seed(0)
    net = nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False),
        neuron.LIFNode(tau=2.0, v_threshold=0.5),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Linear(64, 16),
        neuron.IFNode(v_threshold=0.5),
        layer.Linear(16, CLASSES),
    )
    net[0].weight *= 3
    x_TBCHW = frames()
    nir.write(tmp_path / "net.nir", export_to_nir(net, x_TBCHW[0]))
    functional.reset_net(net)
    expected_TBK = torch.stack([net(x_BCHW) for x_BCHW in x_TBCHW])
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), tmp_path / "net.nir", fires="at")
    assert expected_TBK.std() > 0.05
    torch.testing.assert_close(model(x_TBCHW), expected_TBK, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", ["IAF", "LIF"])
@torch.no_grad()
def test_networks_of_sinabs(cell, tmp_path):
    pytest.importorskip("sinabs", reason="it pins an old nir: pip install --no-deps sinabs pbr")
    import sinabs.layers as layers
    from sinabs.activation import SingleSpike
    from sinabs.nir import to_nir

    def neurons(size):
        told = {"spike_threshold": torch.full((size,), 0.4), "min_v_mem": None, "spike_fn": SingleSpike}
        if cell == "LIF":
            told |= {"tau_mem": torch.full((size,), 3.0), "norm_input": True}
        return getattr(layers, f"{cell}Squeeze")(batch_size=BATCH, **told)

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2 * SIZE**2, 32), neurons(32), nn.Linear(32, CLASSES))
    x_TBCHW = frames()
    x_BTN = x_TBCHW.flatten(2).transpose(0, 1)
    expected_TBK = net(x_BTN.flatten(0, 1)).unflatten(0, (BATCH, STEPS)).transpose(0, 1)
    net[1].reset_states()
    nir.write(tmp_path / "net.nir", to_nir(net, x_BTN[:, 0]))
    model = NIR(soft, 2, CLASSES, (SIZE, SIZE), tmp_path / "net.nir", dt=1.0, method="exact", fires="at")
    assert expected_TBK.std() > 0.05
    torch.testing.assert_close(model(x_TBCHW), expected_TBK, rtol=0, atol=0)


@pytest.mark.parametrize("reader", ["spikingjelly", "snntorch", "norse"])
@torch.no_grad()
def test_a_synapse_as_other_readers_run_it(reader, tmp_path):
    full = np.ones(20, np.float32)
    dt = 1e-3 if reader == "norse" else 1e-4
    # Norse passes over factors in both equations, snntorch takes only those that make a sum of spikes.
    gains = {"r": full, "w_in": full} if reader == "norse" else {"r": 4 * full, "w_in": 2 * full}
    synapse = nir.CubaLIF(
        tau_syn=2 * dt * full, tau_mem=4 * dt * full, v_leak=0 * full, v_threshold=full, **gains
    )
    first, last = ends([128], [CLASSES])
    nodes = {**first, "a": linear(20, 128, size=0.5), "n": synapse, "b": linear(CLASSES, 20), **last}
    if reader == "norse":  # which transposes the shape of a Linear
        nodes |= {
            name: nir.Affine(nodes[name].weight, np.zeros(len(nodes[name].weight), np.float32))
            for name in ("a", "b")
        }
    file = graph_file(tmp_path, nodes)
    x_TBCHW = frames()
    theirs_TBK = getattr(readers, reader)(file, x_TBCHW.flatten(2))
    model = NIR(
        LIF, 2, CLASSES, (SIZE, SIZE), file, dt=dt, fires="at" if reader == "spikingjelly" else "above"
    )
    assert theirs_TBK.std() > 0.1
    torch.testing.assert_close(model(x_TBCHW), theirs_TBK, rtol=1e-5, atol=1e-5)
