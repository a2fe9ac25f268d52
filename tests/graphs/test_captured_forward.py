"""Evaluation on static tensors equals evaluation without, pass after pass, to the last bit; both kinds are counted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab.errors import RunError
from snnlab.evaluate.one_pass import evaluate
from snnlab.graphs.captured_forward import CapturedForward
from snnlab.graphs.tally import Tally
from snnlab.kernels import backend
from snnlab.losses.sdt import SDT
from tests.train.again import Again
from tests.train.compared_steps import StillToy, batch
from tests.train.small_net import CLASSES, SmallNet
from tests.train.toy import ToyData, pipeline

SIZES = (8, 8, 6)


def captured(net: nn.Module, capture: Again | None = None, **settings: Any) -> tuple[CapturedForward, Tally]:
    tally = Tally()
    precision = settings.pop("precision", "fp32")
    return CapturedForward(net, precision, capture or Again(), tally, **settings), tally


def measured(
    net: nn.Module,
    forward: CapturedForward | None,
    sizes: Sequence[int] = SIZES,
    precision: str = "fp32",
    data: ToyData | None = None,
) -> str:
    """The evaluation to the last digit, as text, in which one NaN is like another."""
    batches = [batch(start, start + size, data) for start, size in enumerate(sizes)]
    given = pipeline(data=data)
    return repr(evaluate(net, SDT(), batches, given, CLASSES, precision, forward=forward))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("neuron", ["lif", "dsatgo", "quant_relu"])
def test_passes_equal_those_without_also_after_a_change_of_weights(neuron: str, precision: str) -> None:
    net, capture = SmallNet(neuron), Again()
    forward, tally = captured(net, capture, precision=precision)
    for _ in range(3):
        assert measured(net, forward, precision=precision) == measured(net, None, precision=precision)
        with torch.no_grad():
            net.conv[0].weight.mul_(1.5)
            net.norm.bn.running_mean.add_(0.1)
    assert tally.as_mapping() == {"replays": 9, "eager": 0, "why": {}}
    assert (capture.recorded, capture.replayed) == (2, 9)


def test_still_images_stay_one_image() -> None:
    net, seen = SmallNet(), set()
    net.conv.register_forward_pre_hook(lambda module, inputs: seen.add(inputs[0].stride(0)))
    forward, _ = captured(net)
    data = StillToy()
    assert measured(net, forward, data=data) == measured(net, None, data=data)
    assert seen == {0}


def test_a_third_kind_of_batch_is_counted_and_an_error_where_graphs_are_required() -> None:
    net = SmallNet()
    forward, tally = captured(net)
    for _ in range(2):
        assert measured(net, forward, (8, 6, 4, 8)) == measured(net, None, (8, 6, 4, 8))
    assert tally.as_mapping()["why"] == {"a third kind of batch, [3, 4, 2, 4, 4]": 2}
    assert tally.replays == 6
    forward, _ = captured(net, required=True)
    with pytest.raises(
        RunError, match="required: an evaluation batch cannot run as a CUDA graph: a third kind"
    ):
        measured(net, forward, (8, 6, 4))


def test_a_recording_that_fails_is_counted() -> None:
    net = SmallNet()
    forward, tally = captured(net, Again(fails="no\nand more"))
    assert measured(net, forward) == measured(net, None)
    assert tally.as_mapping()["why"] == {"recording failed: RuntimeError: no": 3}


def test_a_network_that_reads_on_the_host_is_refused_by_its_line() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = SmallNet()

        def forward(self, x_TBCHW: Tensor) -> Tensor:
            logits_TBK: Tensor = self.net(x_TBCHW)
            return logits_TBK + 0 * float(logits_TBK.sum())

    net, capture = Reading(), Again()
    forward, tally = captured(net, capture)
    assert measured(net, forward) == measured(net, None)
    (why,) = tally.eager
    assert why.startswith(f"graphs/{Path(__file__).name}:")
    assert "reads a value of the device on the host" in why
    assert capture.recorded == 0


def test_recording_leaves_no_trace() -> None:
    class Counting(SmallNet):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x_TBCHW: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(x_TBCHW + torch.rand_like(x_TBCHW))

    found = []
    for with_graphs in (True, False):
        torch.manual_seed(0)
        net = Counting()
        forward = captured(net)[0] if with_graphs else None
        found.append((measured(net, forward), net.calls.item(), torch.get_rng_state().tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize("silent", [False, True])
def test_the_neurons_calls_are_counted_as_without_graphs(silent: bool) -> None:
    class Silent(Again):
        """Like a graph, it does not ask for a back end when it is replayed."""

        def record(self, work: Callable[[], None]) -> Callable[[], None]:
            replay = super().record(work)

            def silently() -> None:
                with backend("eager") as choice:
                    replay()
                    choice.counts.clear()

            return silently

    net = SmallNet()
    with backend("eager") as plain:
        measured(net, None)
    with backend("eager") as static:
        measured(net, captured(net, Silent() if silent else Again())[0])
    assert static.counts == plain.counts
