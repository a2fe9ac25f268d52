"""Networks of NIR graphs: what we export comes back bit for bit, and single features of a graph or of the model."""

import nir
import numpy as np
import pytest
import torch
from torch import nn

from snnlab.export.nir import write
from snnlab.models import NIR
from snnlab.neurons import LIF
from tests.export.test_readers import NEURONS, network
from tests.models.nir_graphs import ends, graph_file, lif, linear, small_graph

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


@torch.no_grad()
def test_outputs_can_be_scaled():
    x = torch.rand(2, 3, 2, 8, 8)
    plain, scaled = (NIR(LIF, 2, 3, (8, 8), small_graph(2, 3, 8), output_scale=one) for one in (1.0, 4.0))
    assert torch.equal(scaled(x), 4 * plain(x))
