"""Counting operations: against counts by hand, against spikingjelly's counter, against the papers' numbers."""

import pytest
import torch
from torch import nn

from snnlab.layers.attention import SpikingSelfAttention
from snnlab.layers.time import EachStep
from snnlab.metrics import CONVENTIONS, OperationCounter, ac_energy, costs, mac_energy, total
from snnlab.models import VGGSNN, MSResNet18SNN, ResNet18SNN, SEWResNet19SNN, Spikformer
from snnlab.neurons import CF, LIF, ReLU
from snnlab.norms import BN

T, B = 2, 3


def count(model, *batches):
    with torch.no_grad(), OperationCounter(model.eval()) as counter:
        for x in batches:
            model(x)
    return counter.layers()


def spikes(*shape, rate=0.3, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def eager(**overrides):
    """Fires easily, also behind fresh weights without statistics."""
    return LIF(**{"threshold": 0.2, **overrides})


def alive(model, x):
    """With running statistics of this input, so that spikes reach the last layer."""
    torch.manual_seed(0)
    with torch.no_grad():
        model.train()(x)
    return model.eval()


def norm(channels):
    return BN(channels, momentum=1.0)


def test_linear_by_hand() -> None:
    x = torch.tensor([[[1.0, 0, 1, 1]], [[0.0, 1, 0, 0]]])  # T = 2, B = 1
    (layer,) = count(nn.Sequential(nn.Linear(4, 5)), x)
    assert (layer.kind, layer.inputs, layer.products) == ("linear", "spikes", 20)
    assert layer.rate_T == (0.75, 0.25)
    assert layer.accumulates_T == (15, 5)


def test_convolution_by_hand_leaves_out_connections_into_padding() -> None:
    x = torch.zeros(1, 1, 1, 3, 3)
    x[..., 0, 0] = 1  # in the corner: 4 of 9 positions of the kernel
    x[..., 1, 1] = 1
    (layer,) = count(EachStep(nn.Conv2d(1, 5, 3, padding=1)), x)
    assert layer.products == 9 * 9 * 5
    assert layer.accumulates_T == ((4 + 9) * 5,)
    assert layer.rate_T == (pytest.approx(2 / 9),)


def test_levels_count_as_often_as_they_are_high() -> None:
    x = torch.tensor([[[2.0, 0, -1, 0]]])
    (layer,) = count(nn.Sequential(nn.Linear(4, 5)), x)
    assert layer.inputs == "spikes"
    assert layer.accumulates_T == (15,)
    assert layer.rate_T == (0.75,)


def test_spikes_times_a_threshold_count_once() -> None:
    x = torch.tensor([[[0.7, 0, 0.7, 0]]])
    (layer,) = count(nn.Sequential(nn.Linear(4, 5)), x)
    assert layer.inputs == "spikes"
    assert layer.accumulates_T == (pytest.approx(10),)


def test_averaged_spikes_are_pooled_and_real_numbers_real() -> None:
    net = nn.Sequential(EachStep(nn.AvgPool2d(2), nn.Conv2d(1, 3, 1), nn.Conv2d(3, 2, 1)))
    x = spikes(T, B, 1, 4, 4, rate=0.5)
    first, second = count(net, x)
    assert (first.inputs, second.inputs) == ("pooled", "real")
    assert first.rate_T == pytest.approx(x.mean((1, 2, 3, 4)).tolist())
    assert first.accumulates_T == pytest.approx((3 * x.sum((1, 2, 3, 4)) / B).tolist())
    assert count(EachStep(nn.Conv2d(1, 3, 1)), x / 4)[0].inputs == "spikes"
    assert count(EachStep(nn.Conv2d(1, 3, 1)), x / 4, torch.randn(T, B, 1, 4, 4))[0].inputs == "real"


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False),
        nn.Conv2d(4, 6, 3, dilation=2, padding=(2, 0)),
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
    ],
)
def test_convolutions_of_any_form_agree_with_one_spike_at_a_time(conv) -> None:
    x = spikes(1, 1, 4, 5, 5)
    (layer,) = count(EachStep(conv), x)
    with torch.no_grad():
        conv.weight.fill_(1.0)
        if conv.bias is not None:
            conv.bias.zero_()
        reached = conv(x[0]).sum().item()  # unit weights: every connection of a spike adds 1
    assert layer.accumulates_T == (pytest.approx(reached),)


def test_batches_add_up_to_their_union() -> None:
    net = alive(VGGSNN(eager, norm, 2, 5, 16, channels=(4, 6)), spikes(T, B, 2, 16, 16))
    x = spikes(T, B, 2, 16, 16)
    for whole, parts in zip(count(net, x), count(net, x[:, :1], x[:, 1:]), strict=True):
        assert whole.products == parts.products
        assert whole.rate_T == pytest.approx(parts.rate_T)
        assert whole.accumulates_T == pytest.approx(parts.accumulates_T)


def test_no_hook_is_left_and_a_failed_call_does_no_harm() -> None:
    net = nn.Sequential(nn.Linear(4, 5))
    with torch.no_grad(), OperationCounter(net) as counter:
        with pytest.raises(RuntimeError):
            net(torch.ones(1, 1, 3))
        net(torch.ones(1, 1, 4))
    assert len(counter.layers()) == 1
    assert not net[0]._forward_hooks
    assert not net[0]._forward_pre_hooks


NETWORKS = {
    "resnet18": (lambda: ResNet18SNN(eager, norm, 3, 5), 8),
    "ms_resnet18": (lambda: MSResNet18SNN(eager, norm, 3, 5), 8),
    "spikformer": (lambda: Spikformer(eager, norm, 3, 5, 16, depth=1, dim=32, heads=2, pools=(3, 4)), 16),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_agrees_with_spikingjelly(name) -> None:
    """Layer by layer: its synaptic operations for binary spikes, its MACs for all that it takes for real."""
    counters = pytest.importorskip("spikingjelly.activation_based.op_counter")
    make, size = NETWORKS[name]
    torch.manual_seed(0)
    x = torch.randn(T, B, 3, size, size)
    net = alive(make(), x)
    synops, macs = counters.SynOpCounter(), counters.MACCounter()
    with torch.no_grad(), counters.DispatchCounterMode([synops, macs]):
        net(x)
    layers = count(net, x)
    products = [layer for layer in layers if layer.kind == "product"]
    seen = 0
    for layer in layers:
        scope = f"{type(net).__name__}.{layer.name}"
        if layer.kind != "product" and (spiking := sum(synops.records[scope].values())):
            assert layer.inputs == "spikes"
            assert sum(layer.accumulates_T) * B == pytest.approx(spiking), layer.name
            seen += 1
        elif layer.kind != "product":
            assert layer.products * layer.steps * B == sum(macs.records[scope].values()), layer.name
    assert seen > 4
    if products:
        theirs = synops.records["Spikformer.blocks.0.attention"][torch.ops.aten.bmm.default]
        assert sum(sum(layer.accumulates_T) for layer in products) * B == pytest.approx(theirs)


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    attention = SpikingSelfAttention(8, 2, 0.5, 0.5, "linear", eager, norm)
    x = spikes(T, B, 8, 6)
    attention = alive(attention, x)
    layers = {layer.name: layer for layer in count(attention, x)}
    with torch.no_grad():
        q, k, v = (p(x).unflatten(2, (2, -1)) for p in (attention.q, attention.k, attention.v))
    first, second = (layers[f"SpikingSelfAttention product {n}"] for n in (1, 2))
    assert first.products == second.products == 2 * 4 * 4 * 6
    coincidences = torch.einsum("tbhin,tbhjn->t", v, k)
    assert first.accumulates_T == pytest.approx((coincidences / B).tolist())
    assert second.accumulates_T == pytest.approx((4 * q.sum((1, 2, 3, 4)) / B).tolist())
    assert layers["q.0"].products == 8 * 8 * 6


def test_an_ann_is_made_of_multiplications() -> None:
    layers = count(ResNet18SNN(ReLU, BN, 3, 5), torch.randn(1, B, 3, 8, 8))
    found = total(costs(layers, CONVENTIONS["dsatgo"]))
    assert found.ac == 0
    assert found.mac == found.ann_mac
    assert found.snn_pJ == found.ann_pJ == pytest.approx(4.6 * found.mac)


def test_dsatgo_counts_its_resnet19_as_in_table_2() -> None:
    layers = count(SEWResNet19SNN(LIF, BN, 3, 10), torch.randn(1, 1, 3, 32, 32).expand(2, -1, -1, -1, -1))
    found = total(costs(layers, CONVENTIONS["dsatgo"], still=True))
    assert found.mac / 1e6 == pytest.approx(7.08, abs=0.005)
    assert found.ann_mac / 1e6 == pytest.approx(2285.35, abs=0.05)
    assert found.ann_pJ / 1e9 == pytest.approx(10.51, abs=0.005)
    # Its 690.84 M accumulations, and 0.65 mJ
    convention = CONVENTIONS["dsatgo"]
    assert (690.84e6 * convention.ac_pJ + found.mac * convention.mac_pJ) / 1e9 == pytest.approx(
        0.65, abs=0.005
    )


def test_cf_counts_resnet18_as_in_table_10() -> None:
    layers = count(ResNet18SNN(CF, BN, 3, 10), torch.randn(1, 1, 3, 32, 32).expand(2, -1, -1, -1, -1))
    found = costs(layers, CONVENTIONS["cf"], still=True)
    assert total(found).ann_pJ / 1e9 == pytest.approx(7, abs=0.1)
    assert found[0].mac == 3 * 9 * 64 * 32 * 32  # once for all steps
    assert found[0].snn_pJ == pytest.approx(12.5 * found[0].mac)
    assert costs(layers, CONVENTIONS["cf"])[0].mac == 2 * found[0].mac
    second = found[1]
    assert second.snn_pJ == pytest.approx(0.077 * second.rate * 2 * layers[1].products)


def test_bit_widths_as_in_mtsnn_table_8() -> None:
    assert [mac_energy(bits) - ac_energy() for bits in (1, 2, 3, 8)] == pytest.approx(
        [0.025, 0.05, 0.075, 0.2]
    )
    assert mac_energy(8) == pytest.approx(0.23)
    assert mac_energy(2, 2) - ac_energy(2) == pytest.approx(0.2 / 16)
    (layer,) = count(nn.Sequential(nn.Linear(4, 5)), torch.ones(3, 1, 4))
    (cost,) = costs([layer], CONVENTIONS["mtsnn"], ann_mac_pJ={layer.name: mac_energy(2)})
    assert cost.snn_pJ == pytest.approx(3 * 20 * 0.03)
    assert cost.ann_pJ == pytest.approx(20 * 0.08)
