"""The recorder: what it measures, and that it leaves nothing behind."""

import weakref

import pytest
import torch
from torch import nn

from snnlab.metrics import FiringRate, Recorder
from snnlab.neurons.base import Neuron

T, B, C = 3, 4, 6


class Threshold(Neuron):
    """A neuron with no memory, whose spikes are easy to foresee."""

    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold

    def forward_with_state(self, x_T, state=None):
        return (x_T > self.threshold).to(x_T.dtype) + 0 * x_T, x_T[-1]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Threshold(0.0)
        self.block = nn.ModuleDict({"linear": nn.Linear(C, C), "second": Threshold(0.5)})

    def forward(self, x_TBC):
        return self.block["second"](x_T=self.block["linear"](self.first(x_TBC)))


def batches(seed=0, sizes=(B, 2, 1)):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(T, size, C, generator=generator) for size in sizes]


def test_rates_are_those_of_all_samples_together():
    net, xs = Net(), batches()
    with Recorder(net) as recorder:
        for x in xs:
            net(x)
    together = torch.cat(xs, 1)
    first = net.first(together)
    second = net.block["second"](net.block["linear"](first))
    rates = recorder.rates()
    assert list(rates) == recorder.layers == ["first", "block.second"]
    assert rates["first"] == pytest.approx((first != 0).double().mean((1, 2)).tolist(), abs=1e-15)
    assert rates["block.second"] == pytest.approx((second != 0).double().mean((1, 2)).tolist(), abs=1e-15)


def test_rates_merge_to_those_of_all_neurons_and_of_all_processes():
    net, xs = Net(), batches()
    parts = []
    for part in (xs[:2], xs[2:]):
        with Recorder(net) as recorder:
            for x in part:
                net(x)
        parts.append(recorder.recorded("rate"))
    for layer, rate in parts[0].items():
        rate.merge(parts[1][layer].to("cpu"))
    together = torch.cat(xs, 1)
    first = net.first(together)
    second = net.block["second"](net.block["linear"](first))
    assert parts[0]["first"].compute() == pytest.approx(
        (first != 0).double().mean((1, 2)).tolist(), abs=1e-15
    )
    everything = FiringRate()
    for rate in parts[0].values():
        everything.merge(rate)
    everything.merge(FiringRate())
    fired = torch.stack([first, second]) != 0
    assert everything.compute() == pytest.approx(fired.double().mean((0, 2, 3)).tolist(), abs=1e-15)


def test_graded_outputs_count_as_one():
    rate = FiringRate()
    rate.update(torch.tensor([[0.0, 2.5], [-1.0, 0.25]]))
    assert rate.compute() == [0.5, 1.0]


def test_nothing_is_hooked_outside_the_block():
    net = Net()
    recorder = Recorder(net)
    assert not any(module._forward_hooks for module in net.modules())
    with recorder:
        assert sum(len(module._forward_hooks) for module in net.modules()) == 2
    assert not any(module._forward_hooks for module in net.modules())
    net(batches()[0])
    assert recorder.rates() == {"first": [], "block.second": []}


def test_hooks_are_removed_after_an_error():
    net = Net()
    with pytest.raises(RuntimeError, match="stop"), Recorder(net):
        raise RuntimeError("stop")
    assert not any(module._forward_hooks for module in net.modules())


def test_no_output_is_kept():
    net = Net()
    with Recorder(net) as recorder:
        output = net(batches()[0])
        kept = weakref.ref(output)
        del output
        assert kept() is None
    assert recorder.spikes == {}


def test_training_goes_on_with_the_same_gradients():
    net, x = Net(), batches()[0]
    net(x).sum().backward()
    expected = net.block["linear"].weight.grad.clone()
    net.zero_grad()
    with Recorder(net):
        net(x).sum().backward()
    assert torch.equal(net.block["linear"].weight.grad, expected)


def test_spikes_of_one_sample_of_the_next_batch():
    net, xs = Net(), batches(sizes=(B, B, B))
    with Recorder(net) as recorder:
        net(xs[0])
        assert recorder.spikes == {}
        recorder.request_spikes(["first"], sample=2)
        net(xs[1])
        net(xs[2])
    assert list(recorder.spikes) == ["first"]
    assert torch.equal(recorder.spikes["first"], net.first(xs[1])[:, 2])
    assert recorder.spikes["first"].untyped_storage().nbytes() == T * C * 4


def test_spikes_of_all_layers():
    net = Net()
    with Recorder(net) as recorder:
        recorder.request_spikes()
        net(batches()[0])
    assert list(recorder.spikes) == recorder.layers
    assert not recorder.spikes["block.second"].requires_grad


def test_chosen_layers_only():
    net = Net()
    with Recorder(net, layers=["block.second"]) as recorder:
        net(batches()[0])
        with pytest.raises(ValueError, match=r"no neuron layer first; there are block\.second"):
            recorder.request_spikes(["first"])
    assert list(recorder.rates()) == ["block.second"]


def test_unknown_layers_and_statistics_are_refused():
    with pytest.raises(ValueError, match=r"no neuron layer block\.linear"):
        Recorder(Net(), layers=["block.linear"])
    with pytest.raises(ValueError, match="recorded: rate"):
        Recorder(Net()).compute("membrane")


class Mean:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, output_TB):
        assert not output_TB.requires_grad
        self.sum = self.sum + output_TB.flatten(1).double().sum(1)
        self.count += output_TB[0].numel()

    def compute(self):
        return (self.sum / self.count).tolist()


def test_own_statistics():
    net, xs = Net(), batches()
    with Recorder(net, {"rate": FiringRate, "mean": Mean}) as recorder:
        for x in xs:
            net(x)
    expected = net.first(torch.cat(xs, 1)).double().mean((1, 2)).tolist()
    assert recorder.compute("mean")["first"] == pytest.approx(expected, abs=1e-12)
    assert len(recorder.rates()["block.second"]) == T


def test_a_layer_used_twice_is_one_layer():
    shared = Threshold(0.0)
    net, x = nn.Sequential(shared, nn.Identity(), shared), batches()[0]
    with Recorder(net) as recorder:
        net(x)
    assert recorder.rates() == {"0": pytest.approx((x > 0).double().mean((1, 2)).tolist())}


def test_another_number_of_steps_is_refused():
    net, x = Net(), batches()[0]
    with Recorder(net):
        net(x)
        with pytest.raises(ValueError, match="3 time steps so far, now 2"):
            net(x[:2])


def test_recording_never_waits_for_the_device(no_waiting):
    net, xs = Net(), batches()
    with Recorder(net) as recorder, no_waiting():
        recorder.request_spikes()
        for x in xs:
            net(x)
