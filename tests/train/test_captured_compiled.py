"""Networks that torch.compile has compiled are recorded as others are, unless it makes graphs of its own."""

from typing import Any

import pytest
import torch

from snnlab.config.schema import TrainerConfig
from snnlab.kernels import backend
from snnlab.machine.processes import Processes
from snnlab.train.captured_batches import refusal
from tests.train.again import Again
from tests.train.compared_steps import EPOCH, learner, same, trace
from tests.train.small_net import SmallNet


def test_compiled_networks_are_recorded_as_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile is asked for no graphs of its own, and its code is made before the recording."""
    compile_, asked = torch.compile, []

    def traced(run: Any, **settings: Any) -> Any:
        asked.append(settings)
        return compile_(run, backend="aot_eager")

    class Order(Again):
        def record(self, work: Any) -> Any:
            frames.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
            replay = super().record(work)
            replay()
            frames.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
            return replay

    frames: list[int] = []
    monkeypatch.setattr(torch, "compile", traced)
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    with backend("eager"):
        static = learner(Order(), lambda: SmallNet("lif"), compile=True, cuda_graph="required")
        found = trace(static, EPOCH[:2])
        expected = trace(learner(None, lambda: SmallNet("lif"), compile=True), EPOCH[:2])
    torch.compiler.reset()
    assert asked == [{}, {}]
    assert frames[0] > 0
    assert frames[0] == frames[1]
    assert static.graphs is not None
    assert static.graphs.batch.tally.as_mapping() == {"replays": 2, "eager": 0, "why": {}}
    same(found, expected)


def test_graphs_that_torch_compile_makes_itself_are_not_recorded_into_others() -> None:
    from torch._inductor import config

    settings = TrainerConfig(compile=True)
    assert refusal(settings, Processes()) is None
    with config.patch({"triton.cudagraphs": True}):
        assert "TORCHINDUCTOR_CUDAGRAPHS" in (refusal(settings, Processes()) or "")
        assert refusal(TrainerConfig(), Processes()) is None
