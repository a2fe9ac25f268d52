"""Networks of NIR graphs compute what the simulator does that wrote the graph, and what others read in it."""

import contextlib
import io
import warnings
from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest
import torch
from torch import nn

from snnlab.errors import ConfigError
from snnlab.export.nir import write
from snnlab.layers.low_pass import LowPass
from snnlab.layers.recurrent import Recurrent
from snnlab.layers.streaming import Streaming
from snnlab.metrics.recorder import Recorder
from snnlab.models import NIR
from snnlab.neurons import LIF
from snnlab.surrogates.tsg import TSG
from tests.export import readers
from tests.export.test_readers import NEURONS, network
from tests.models.nir_graphs import small_graph

STEPS, BATCH, CLASSES, SIZE = 8, 3, 5, 8


def frames(seed=0, size=SIZE):
    return torch.rand(STEPS, BATCH, 2, size, size, generator=torch.Generator().manual_seed(seed))


def soft(**given):
    return LIF(reset="soft", **given)


def graph_file(tmp_path, nodes, edges=None, **about):
    names = list(nodes)
    edges = list(pairwise(names)) if edges is None else edges
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, edges, type_check=False, **about))
    return tmp_path / "net.nir"


def ends(taken, given):
    return {"in": nir.Input({"input": np.array(taken)})}, {"out": nir.Output({"output": np.array(given)})}


def linear(outputs, inputs, seed=0, size=1.0):
    random = np.random.default_rng(seed)
    return nir.Linear((size * random.normal(size=(outputs, inputs))).astype(np.float32))


def lif(size, tau=2e-4, threshold=1.0):
    full = np.ones(size, np.float32)
    return nir.LIF(tau=tau * full, r=tau / 1e-4 * full, v_leak=0 * full, v_threshold=threshold * full)


# Readers differ in how they take the threshold, the step, and neurons without a leak.
ROUND_TRIPS = [
    *((neuron, "any") for neuron in NEURONS),
    *((neuron, reader) for neuron in ("lif", "if") for reader in ("snntorch", "norse")),
]


@pytest.mark.parametrize(("neuron", "reader"), ROUND_TRIPS)
@torch.inference_mode()
def test_what_we_export_comes_back_bit_for_bit(neuron, reader, tmp_path):
    model, x_TBCHW = network("vgg_snn", NEURONS[neuron])
    write(model, x_TBCHW, tmp_path / "net.nir", reader=reader)
    back = NIR(LIF, 2, 7, (16, 16), tmp_path / "net.nir")
    assert back.stepping.dt == (1e-3 if reader == "norse" else 1e-4)
    assert torch.equal(back(x_TBCHW), model(x_TBCHW))


@pytest.mark.parametrize(
    "name",
    [
        "resnet18_snn",
        pytest.param("sew_resnet19_snn", marks=pytest.mark.slow),
        pytest.param("ms_resnet18_snn", marks=pytest.mark.slow),
    ],
)
@torch.inference_mode()
def test_residual_networks_come_back(name, tmp_path):
    model, x_TBCHW = network(name, NEURONS["lif"])
    write(model, x_TBCHW, tmp_path / "net.nir", dt=0.25)
    back = NIR(LIF, 2, 7, (16, 16), tmp_path / "net.nir")
    assert torch.equal(back(x_TBCHW), model(x_TBCHW))
    # Once more: nothing is lost on the way.
    write(back, x_TBCHW, tmp_path / "again.nir", dt=0.5)
    assert torch.equal(NIR(LIF, 2, 7, (16, 16), tmp_path / "again.nir")(x_TBCHW), model(x_TBCHW))


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


def looped(tmp_path, back=0.5, kind=lif):
    """A layer whose spikes come back through weights, one whose spikes come back as they are, and a readout."""
    first, last = ends([2, SIZE, SIZE], [CLASSES])
    full = np.ones(CLASSES, np.float32)
    nodes = {
        **first,
        "row": nir.Flatten({"input": np.array([2, SIZE, SIZE])}, start_dim=0),
        "a": linear(6, 2 * SIZE * SIZE, size=0.3),
        "n": kind(6),
        "w": linear(6, 6, seed=1, size=back),
        "twice": nir.Scale(np.full(6, 2, np.float32)),
        "m": lif(6, tau=4e-4),
        "b": linear(CLASSES, 6, seed=2),
        "v": nir.LI(tau=2e-4 * full, r=2 * full, v_leak=0 * full),
        **last,
    }
    edges = [("in", "row"), ("row", "a"), ("a", "n"), ("n", "w"), ("w", "n"), ("n", "twice")]
    edges += [("twice", "m"), ("m", "m"), ("m", "b"), ("b", "v"), ("v", "out")]
    return graph_file(tmp_path, nodes, edges)


@torch.no_grad()
def test_loops_written_out(tmp_path):
    file = looped(tmp_path)
    model, graph = (
        NIR(LIF, 2, CLASSES, (SIZE, SIZE), file, fires="at").double(),
        nir.read(file, type_check=False),
    )
    x_TBCHW = frames().double()
    a, w, b = (torch.tensor(graph.nodes[name].weight).double() for name in "awb")
    v = u = s = z = torch.zeros(BATCH, 6, dtype=torch.float64)
    y, expected = torch.zeros(BATCH, CLASSES, dtype=torch.float64), []
    for x_BCHW in x_TBCHW:
        v = 0.5 * v + x_BCHW.flatten(1) @ a.T + s @ w.T
        s = (v >= 1).double()
        v = v * (1 - s)
        u = 0.75 * u + 2 * s + z
        z = (u >= 1).double()
        u = u * (1 - z)
        y = 0.5 * y + z @ b.T
        expected.append(y)
    expected_TBK = torch.stack(expected)
    assert expected_TBK.std() > 0.1
    torch.testing.assert_close(model(x_TBCHW), expected_TBK, rtol=1e-5, atol=1e-5)


def synaptic(size):
    full = np.ones(size, np.float32)
    return nir.CubaLIF(
        tau_syn=2e-4 * full, tau_mem=3e-4 * full, r=3 * full, v_leak=0 * full, v_threshold=full, w_in=2 * full
    )


@pytest.mark.parametrize("kind", [lif, synaptic])
@torch.no_grad()
def test_loops_step_by_step_while_samples_leave(kind, tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path, kind=kind)).double()
    x_TBCHW = frames().double()
    expected_TBK = model(x_TBCHW)
    kept = torch.tensor([2, 0])
    with Streaming(model) as stream:
        for t, x_BCHW in enumerate(x_TBCHW[:4]):
            torch.testing.assert_close(stream(x_BCHW), expected_TBK[t])
        stream.keep(kept)
        for t, x_BCHW in enumerate(x_TBCHW[4:], start=4):
            torch.testing.assert_close(stream(x_BCHW[kept]), expected_TBK[t, kept])


def test_gradients_reach_all_weights_of_a_loop(tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path))
    model(frames()).square().sum().backward()
    assert {name: bool(p.grad.any()) for name, p in model.named_parameters()} == {
        name: True for name, _ in model.named_parameters()
    }
    assert "layers.n.loop.0_w.weight" in dict(model.named_parameters())


def test_a_readout_and_a_synapse_do_not_count_as_firing(tmp_path):
    model = NIR(LIF, 2, CLASSES, (SIZE, SIZE), looped(tmp_path))
    assert any(isinstance(module, LowPass) for module in model.modules())
    with Recorder(model) as recorder, torch.no_grad():
        model(frames())
    assert list(recorder.rates()) == ["layers.n", "layers.m"]


def test_a_surrogate_that_counts_steps_is_refused_in_a_loop(tmp_path):
    with pytest.raises(ValueError, match="that counts its time steps"):
        NIR(lambda **o: LIF(TSG(STEPS), **o), 2, CLASSES, (SIZE, SIZE), looped(tmp_path))


@pytest.mark.parametrize(
    ("changed", "edges", "message"),
    [
        (
            {"x": nir.Delay(np.ones(4, np.float32))},
            None,
            "x: there is no layer here for a node of type Delay",
        ),
        ({"x": linear(4, 9)}, None, "x: its input is 4, and its weight 4 x 9"),
        ({"x": nir.Scale(np.full(4, np.nan))}, None, "x: not all numbers of its scale are finite"),
        ({"x": nir.Scale(np.ones(3))}, None, "x: its input is 4, and its scale 3"),
        ({"x": nir.AvgPool2d(2, 2, 0)}, None, "x: its input is 4, and a pool takes"),
        ({"x": linear(3, 4)}, None, "its output is 3, and the data have 4 classes"),
        ({"in": nir.Input({"input": np.array([5])})}, None, "its input in is 5, and the data give 1 x 2 x 2"),
        (
            {"more": nir.Input({"input": np.array([4])})},
            [("more", "x")],
            "one Input node is expected, and there are 2",
        ),
        ({"more": linear(4, 4)}, [("more", "x")], "the node more has no input"),
        ({}, [("x", "nobody")], "an edge names nobody, and there is no such node"),
        ({}, [("in", "x")], r"the edge \('in', 'x'\) is there twice"),
        ({}, [("x", "x")], "the loop of x has 0 neurons that fire"),
        (
            {"n": lif(4), "m": lif(4)},
            [("x", "n"), ("n", "m"), ("m", "x")],
            "the loop of m, n, x has 2 neurons",
        ),
        (
            {"x": lif(4), "w": linear(4, 4)},
            [("x", "w"), ("w", "x"), ("in", "w")],
            "w is part of a loop, and takes",
        ),
        (
            {"x": lif(4), "w": linear(4, 4)},
            [("x", "w"), ("w", "x"), ("w", "out")],
            "w is part of a loop, and out",
        ),
        (
            {"x": lif(4), "w": linear(3, 4)},
            [("x", "w"), ("w", "x")],
            "what comes back to it has another shape",
        ),
        ({"y": linear(3, 4)}, [("in", "y"), ("y", "out")], "out: inputs of different shapes are added: 4, 3"),
    ],
)
def test_what_does_not_run_is_named(changed, edges, message, tmp_path):
    first, last = ends([4], [4])
    nodes = {**first, "x": linear(4, 4), **last, **changed}
    file = graph_file(tmp_path, nodes, [("in", "x"), ("x", "out"), *(edges or [])])
    with pytest.raises(ValueError, match=message):
        NIR(LIF, 1, 4, (2, 2), file)


def changed_field(file, node, field, value):
    with h5py.File(file, "a") as content:
        del content["node/nodes"][node][field]
        if value is not None:
            content["node/nodes"][node][field] = value


STRANGE = (
    None,
    0,
    -1,
    1.5,
    float("nan"),
    "x",
    np.zeros(0),
    np.ones((2, 2)),
    np.array([0, 0]),
    np.ones((1, 0, 3)),
)
FIELDS = {
    "input": ("shape", "type"),
    "conv": ("weight", "bias", "stride", "padding", "dilation", "groups"),
    "pool": ("kernel_size", "stride", "padding"),
    "row": ("start_dim", "end_dim", "input_type"),
    "spikes": ("tau", "r", "v_leak", "v_threshold"),
    "head": ("weight", "bias"),
}


@pytest.mark.parametrize(
    ("node", "field"), [(node, field) for node, fields in FIELDS.items() for field in fields]
)
@torch.no_grad()
def test_a_strange_value_is_an_error_or_runs(node, field, tmp_path):
    errors = []
    for i, value in enumerate(STRANGE):
        file = tmp_path / f"{i}.nir"
        file.write_bytes(small_graph(2, 3, 8).read_bytes())
        changed_field(file, node, field, value)
        try:
            NIR(LIF, 2, 3, (8, 8), file)(torch.rand(2, 1, 2, 8, 8))
        except ValueError as error:  # what commands print as one line
            errors.append(str(error))
    assert len(errors) >= 3
    assert not [error for error in errors if "\n" in error]


@torch.no_grad()
def test_names_that_torch_does_not_take(tmp_path):
    first, last = ends([4], [4])
    inside = nir.NIRGraph(
        {**first, "keys": linear(4, 4), **last}, [("in", "keys"), ("keys", "out")], type_check=False
    )
    nodes = {**first, "keys": linear(4, 4), "a.b": inside, "a_b": linear(4, 4, seed=1), "0": lif(4), **last}
    model = NIR(LIF, 1, 4, (2, 2), graph_file(tmp_path, nodes))
    assert model(torch.rand(2, 3, 1, 2, 2)).shape == (2, 3, 4)
    assert list(model.layers) == ["in", "keys_", "a_b_keys", "a_b", "0"]


@torch.no_grad()
def test_pools_strides_and_paddings(tmp_path):
    random = np.random.default_rng(0)
    weight = random.normal(size=(4, 1, 3, 3)).astype(np.float32)
    bias = random.normal(size=4).astype(np.float32)
    first, last = ends([2, 9, 9], [4 * 2 * 3])
    nodes = {
        **first,
        "c": nir.Conv2d((9, 9), weight, (2, 1), (1, 0), (1, 2), 2, bias),
        "p": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 1])),
        "r": nir.Flatten({"input": np.array([4, 2, 3])}, start_dim=1),  # with the batch as axis 0
        "l": linear(24, 4 * 2 * 3),
        **last,
    }
    model = NIR(LIF, 2, 24, (9, 9), graph_file(tmp_path, nodes))
    x = torch.rand(3, 2, 2, 9, 9)
    y = nn.functional.conv2d(
        x.flatten(0, 1), torch.tensor(weight), torch.tensor(bias), (2, 1), (1, 0), (1, 2), 2
    )
    y = 4 * nn.functional.avg_pool2d(y, 2, 2, (0, 1))
    expected = y.flatten(1) @ torch.tensor(nodes["l"].weight).T
    torch.testing.assert_close(model(x).flatten(0, 1), expected)


@pytest.mark.parametrize("padding", ["same", "valid", 1])
@torch.no_grad()
def test_one_dimension(padding, tmp_path):
    weight = np.random.default_rng(0).normal(size=(3, 2, 3)).astype(np.float32)
    size = 16 if padding in ("same", 1) else 14
    first, last = ends([2, 16], [3 * size])
    nodes = {
        **first,
        "c": nir.Conv1d(16, weight, 1, padding, 1, 1, np.zeros(3, np.float32)),
        "r": nir.Flatten({"input": np.array([3, size])}, start_dim=0),
        **last,
    }
    model = NIR(LIF, 2, 3 * size, (4, 4), graph_file(tmp_path, nodes))
    x = torch.rand(3, 2, 2, 4, 4)
    expected = nn.functional.conv1d(x.flatten(3).flatten(0, 1), torch.tensor(weight), padding=padding)
    torch.testing.assert_close(model(x).flatten(0, 1), expected.flatten(1))


def test_what_the_user_says_comes_before_what_the_file_says(tmp_path):
    first, last = ends([4], [4])
    nodes = {**first, "x": linear(4, 4), **last}
    file = graph_file(tmp_path, nodes, metadata={"dt": 0.5, "fires": "at"})
    said = NIR(LIF, 1, 4, (2, 2), file).stepping
    assert (said.dt, said.fires) == (0.5, "at")
    told = NIR(LIF, 1, 4, (2, 2), file, dt=0.25, fires="above").stepping
    assert (told.dt, told.fires) == (0.25, "above")
    silent = NIR(LIF, 1, 4, (2, 2), graph_file(tmp_path, nodes)).stepping
    assert (silent.dt, silent.fires) == (1e-4, "above")


def test_without_a_file_it_says_where_one_is_named():
    with pytest.raises(ConfigError, match=r"model=nir: no NIR file is named"):
        NIR(LIF, 1, 4, (2, 2))


@torch.no_grad()
def test_outputs_can_be_scaled():
    x = torch.rand(2, 3, 2, 8, 8)
    plain, scaled = (NIR(LIF, 2, 3, (8, 8), small_graph(2, 3, 8), output_scale=one) for one in (1.0, 4.0))
    assert torch.equal(scaled(x), 4 * plain(x))
