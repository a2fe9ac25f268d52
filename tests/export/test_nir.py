"""The NIR graph of a network computes what the network does: by NIR's equations, and in another simulator."""

import nir
import numpy as np
import pytest
import torch
from spikingjelly.activation_based.nir_exchange.from_nir import import_from_nir
from torch.nn import functional as F

from snnlab.export.nir import to_nir, write
from snnlab.layers.time import EachStep
from snnlab.neurons import CF, IF, LIF, PLIF
from snnlab.norms import TDBN, TEBN
from tests.models.builders import alive, build, eager, frames

DT = 1e-4
STEPS = 3


def simulate(graph, x_TBCHW):
    """Forward Euler on NIR's definitions, node by node, in float64."""
    incoming = {name: [source for source, target in graph.edges if target == name] for name in graph.nodes}
    potential, logits = {}, []
    for x_BCHW in x_TBCHW.double():
        done = {"input": x_BCHW}
        while "output" not in done:
            for name, node in graph.nodes.items():
                if name not in done and all(source in done for source in incoming[name]):
                    x = sum(done[source] for source in incoming[name])
                    done[name] = evaluate(name, node, x, potential)
        logits.append(done["output"])
    return torch.stack(logits)


def evaluate(name, node, x, potential):
    def tensor(key):
        return torch.from_numpy(np.asarray(getattr(node, key))).double()

    match node:
        case nir.Output():
            return x
        case nir.Conv2d():
            how = (node.stride, node.padding, node.dilation, node.groups)
            return F.conv2d(x, tensor("weight"), tensor("bias"), *how)
        case nir.Affine():
            return F.linear(x, tensor("weight"), tensor("bias"))
        case nir.AvgPool2d():
            return F.avg_pool2d(x, tuple(node.kernel_size), tuple(node.stride), tuple(node.padding))
        case nir.SumPool2d():
            kernel = tuple(node.kernel_size)
            mean = F.avg_pool2d(x, kernel, tuple(node.stride), tuple(node.padding))
            return mean * kernel[0] * kernel[1]
        case nir.Flatten():
            return x.flatten(1)
    v = potential.get(name, torch.zeros_like(x))
    if isinstance(node, nir.LIF):
        v = v + DT / tensor("tau") * (tensor("v_leak") - v + tensor("r") * x)
    else:
        assert isinstance(node, nir.IF)
        v = v + DT * tensor("r") * x
    fired = v >= tensor("v_threshold")
    potential[name] = torch.where(fired, tensor("v_reset"), v)
    return fired.double()


def deep(**overrides):
    return LIF(**{"threshold": 0.1, "tau": 4.0, "decay_input": True, **overrides})


@pytest.mark.parametrize(
    ("name", "neuron"),
    [
        ("vgg_snn", eager),
        ("vgg_snn", lambda: PLIF(threshold=0.1, init_decay=0.3)),
        ("vgg_snn", deep),
        ("resnet18_snn", lambda: IF(threshold=0.2)),
        ("sew_resnet19_snn", eager),
        ("ms_resnet18_snn", eager),
    ],
    ids=["vgg-lif", "vgg-plif", "vgg-scaled", "resnet-if", "sew-lif", "ms-lif"],
)
def test_graph_computes_the_network(name, neuron):
    model, x_TBCHW = alive(name, neuron).double(), frames(STEPS).double()
    with torch.inference_mode():
        logits_TBK = model(x_TBCHW)
        assert logits_TBK.std() > 0.01
        torch.testing.assert_close(simulate(to_nir(model, x_TBCHW), x_TBCHW), logits_TBK)


@pytest.mark.parametrize("name", ["vgg_snn", "resnet18_snn"])
def test_another_simulator_reads_the_file(name, tmp_path):
    model, x_TBCHW = alive(name), frames(STEPS, batch=8)
    write(model, x_TBCHW, tmp_path / "network.nir")
    theirs = import_from_nir(str(tmp_path / "network.nir"), dt=DT, step_mode="m")
    with torch.inference_mode():
        logits_TBK, _ = theirs(x_TBCHW)
        close_TBK = torch.isclose(model(x_TBCHW), logits_TBK, rtol=1e-3, atol=1e-4)
    # In float32 a potential within rounding of the threshold fires on one side only, which moves some logits.
    assert close_TBK.float().mean() > 0.9


@pytest.mark.parametrize("reader", ["snntorch", "norse"])
def test_graphs_for_one_reader_obey_nirs_equations_too(reader):
    for neuron in (eager, lambda: IF(threshold=0.2), deep):
        model, x_TBCHW = alive("vgg_snn", neuron).double(), frames(STEPS).double()
        with torch.inference_mode():
            found_TBK = simulate(to_nir(model, x_TBCHW, DT, reader), x_TBCHW)
            torch.testing.assert_close(found_TBK, model(x_TBCHW), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"ceil_mode": True}, {"divisor_override": 3}, {"count_include_pad": False}]
)
def test_average_pools_of_other_kinds_are_refused(options):
    model = build("vgg_snn")
    pool = torch.nn.AvgPool2d(2, padding=1, **options)
    model.features = torch.nn.Sequential(*[EachStep(pool) if is_pool(one) else one for one in model.features])
    with pytest.raises(ValueError, match="no form for AvgPool2d"):
        to_nir(model, frames(1))


def is_pool(layer):
    return isinstance(layer, EachStep) and isinstance(layer[0], torch.nn.AvgPool2d)


@pytest.mark.parametrize("reader", ["any", "norse"])
def test_padded_average_pools(reader):
    model, x_TBCHW = alive("vgg_snn").double(), frames(STEPS, batch=1).double()
    x_TBCHW = x_TBCHW[..., :16, :16]
    pool = torch.nn.AvgPool2d(3, stride=2, padding=1)
    model.features = torch.nn.Sequential(*[EachStep(pool) if is_pool(one) else one for one in model.features])
    with torch.inference_mode():
        found_TBK = simulate(to_nir(model, x_TBCHW, DT, reader), x_TBCHW)
        torch.testing.assert_close(found_TBK, model(x_TBCHW), rtol=1e-4, atol=1e-5)


def test_norms_are_folded():
    graph = to_nir(build("vgg_snn", norm=lambda c: TDBN(c, 1.0)), frames(1))
    kinds = {type(node).__name__ for node in graph.nodes.values()}
    assert kinds == {"Input", "Conv2d", "LIF", "AvgPool2d", "Flatten", "Affine", "Output"}
    assert not any(node.groups > 1 for node in graph.nodes.values() if isinstance(node, nir.Conv2d))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neuron": lambda: LIF(reset="soft")}, "not by subtraction"),
        ({"neuron": lambda: LIF(v_init=0.5)}, "start at v_reset"),
        ({"neuron": CF}, "no form for CF"),
        ({"norm": lambda c: TEBN(c, 4)}, "treats time steps differently"),
    ],
)
def test_what_nir_cannot_say(options, message):
    with pytest.raises(ValueError, match=message):
        to_nir(build("vgg_snn", **options), frames(1))
