"""Steps on static tensors with carried states equal steps without, whoever leaves the batch; both are counted."""

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.errors import RunError
from snnlab.graphs import captured_stream
from snnlab.graphs.captured_stream import CapturedStreaming
from snnlab.kernels import backend
from snnlab.layers.streaming import Streaming
from snnlab.neurons.lif import LIF
from snnlab.surrogates.base import Surrogate
from tests.train.again import Again
from tests.train.small_net import STEPS, SmallNet

B = 5


def net(neuron: str = "lif") -> nn.Module:
    torch.manual_seed(0)
    made_net = SmallNet(neuron)
    for threshold_T in (one for name, one in made_net.named_buffers() if name.endswith("threshold_T")):
        threshold_T.copy_(torch.linspace(0.2, 1.2, STEPS))  # so that a step taken for another one is seen
    return made_net.eval()


def frames(batch: int = B) -> Tensor:
    return 3 * torch.rand(STEPS, batch, 2, 4, 4, generator=torch.Generator().manual_seed(batch))


def streamed(stream: Streaming, x: Tensor, keep: Any = None) -> list[Tensor]:
    found, kept = [], None
    with stream:
        for t, x_BCHW in enumerate(x):
            found.append(stream(x_BCHW if kept is None else x_BCHW[kept]))
            if keep is not None and t == keep[0]:
                kept = torch.tensor(keep[1])
                stream.keep(kept)
    return found


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("neuron", registry.component_files("neuron"))
@torch.inference_mode()
def test_every_neuron_streams_as_without_graphs(neuron: str) -> None:
    model, capture = net(neuron), Again()
    try:
        stream = CapturedStreaming(model, capture)
    except ValueError:  # it has parameters for each step
        return
    for size in (B, B, 2):
        assert equal(streamed(stream, frames(size)), streamed(Streaming(model), frames(size)))
    assert stream.tally.as_mapping() == {"replays": 3 * STEPS, "eager": 0, "why": {}}
    # The first and a later step of either size, or each step of a neuron that holds something for each.
    assert capture.recorded == 2 * (STEPS if neuron == "dsatgo" else 2)


@torch.inference_mode()
def test_samples_leave_and_one_size_too_many_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured_stream, "SIGNATURES", 2)
    model = net()
    stream = CapturedStreaming(model, Again())
    for keep in ((0, [0, 3]), (1, [4]), (1, [1, 2]), (0, [2])):
        assert equal(streamed(stream, frames(), keep), streamed(Streaming(model), frames(), keep))
    assert set(stream.tally.eager) == {"another kind of batch after 2, [1, 2, 4, 4]"}
    assert stream.tally.eager.total() == 1 + 2
    assert stream.tally.replays == 4 * STEPS - 3
    required = CapturedStreaming(model, Again(), required=True)
    streamed(required, frames(), (0, [0, 3]))
    with pytest.raises(
        RunError, match="cuda_graph=required: a step cannot run as a CUDA graph: another kind"
    ):
        streamed(required, frames(), (0, [2]))


def test_batches_shrink_by_halves_so_that_few_sizes_need_graphs() -> None:
    stream = CapturedStreaming(net(), Again())
    assert [stream.size_for(count, 100) for count in (100, 51, 50, 26, 25, 13, 1)] == [
        100,
        100,
        50,
        50,
        25,
        25,
        1,
    ]
    assert Streaming(net()).size_for(13, 100) == 13


@torch.inference_mode()
def test_weights_that_change_in_place_are_seen() -> None:
    model = net()
    stream = CapturedStreaming(model, Again())
    streamed(stream, frames())
    with torch.no_grad():
        model.conv[0].weight.mul_(2)
    assert equal(streamed(stream, frames()), streamed(Streaming(model), frames()))


@torch.inference_mode()
def test_a_precision_is_a_kind_of_its_own_and_leaves_no_weights_behind() -> None:
    model, seen = net(), []
    stream = CapturedStreaming(model, Again())
    model.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_cache_enabled()))
    plain = streamed(stream, frames())
    with torch.autocast("cpu", torch.bfloat16):
        low = streamed(stream, frames())
        assert not any(seen)
        assert equal(low, streamed(Streaming(model), frames()))
    assert not equal(plain, low)


def test_steps_with_gradients_are_none_of_a_graph() -> None:
    stream = CapturedStreaming(net(), Again())
    found = streamed(stream, frames())
    assert found[-1].requires_grad
    assert stream.tally.as_mapping()["why"] == {"gradients are wanted": STEPS}


@torch.inference_mode()
def test_what_cannot_be_recorded_streams_without() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def forward(self, x_TBCHW: Tensor) -> Tensor:
            logits_TBK: Tensor = self.net(x_TBCHW)
            return logits_TBK + 0 * float(logits_TBK.sum())

    for model, capture, says in (
        (Reading(), Again(), "reads a value of the device on the host"),
        (net(), Again(fails="no\nmore"), "recording failed: RuntimeError: no"),
    ):
        stream = CapturedStreaming(model, capture)
        assert equal(streamed(stream, frames()), streamed(Streaming(model), frames()))
        (why,) = stream.tally.eager
        assert says in why
        assert stream.tally.replays == 0


@torch.inference_mode()
def test_the_neurons_calls_are_counted_once() -> None:
    model = net()
    with backend("eager") as plain:
        streamed(Streaming(model), frames())
    with backend("eager") as static:
        streamed(CapturedStreaming(model, Again()), frames())
    assert static.counts == plain.counts


@torch.inference_mode()
def test_a_surrogate_with_a_step_of_its_own_has_a_graph_for_each_step() -> None:
    names = [
        name
        for name in registry.component_files("surrogate")
        if "num_steps" in inspect.signature(registry.load("surrogate", name)).parameters
    ]
    for name in names:
        surrogate: Surrogate = registry.load("surrogate", name)(num_steps=STEPS)
        model = nn.Sequential(LIF(surrogate)).eval()
        stream = CapturedStreaming(model, Again())
        x = frames().flatten(2)
        assert equal(streamed(stream, x), streamed(Streaming(model), x))
        assert stream.tally.as_mapping() == {"replays": STEPS, "eager": 0, "why": {}}
    assert names
