"""On a GPU: recorded steps of a stream equal steps without, bit for bit, also when samples leave. Not run yet."""

from typing import Any

import pytest
import torch

from snnlab import registry
from snnlab.graphs.capture import CudaCapture
from snnlab.graphs.captured_stream import CapturedStreaming
from snnlab.layers.streaming import Streaming
from tests.graphs.test_captured_stream import frames, net
from tests.train.small_net import STEPS

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("same_algorithms")]
SIZE = 8


def streamed(stream: Streaming) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    kept = torch.arange(SIZE, device="cuda")
    with stream:
        for x_BCHW in frames(SIZE).to("cuda"):
            found.append(stream(x_BCHW[kept]))
            half = torch.arange(0, len(kept), 2, device="cuda")
            kept = kept[half]
            stream.keep(half)
    return found


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
@pytest.mark.parametrize("neuron", registry.component_files("neuron"))
@torch.inference_mode()
def test_recorded_steps_are_the_steps_without(neuron: str, precision: Any) -> None:
    model = net(neuron).to("cuda")
    try:
        stream = CapturedStreaming(model, CudaCapture(torch.device("cuda")), required=True)
    except ValueError:  # it has parameters for each step
        return
    with torch.autocast("cuda", precision, precision is not None):
        for _ in range(3):
            pairs = zip(streamed(stream), streamed(Streaming(model)), strict=True)
            assert all(torch.equal(one, other) for one, other in pairs)
    assert stream.tally.as_mapping() == {"replays": 3 * STEPS, "eager": 0, "why": {}}
