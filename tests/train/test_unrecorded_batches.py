"""Batches that cannot be recorded run without a graph, counted by the reason, or are an error where one is required."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.errors import ConfigError, RunError
from snnlab.machine.processes import Processes
from snnlab.train.captured_batches import refusal
from tests.train.again import Again
from tests.train.compared_steps import EPOCH, batch, learner, same, trace
from tests.train.small_net import SmallNet


def test_a_third_kind_of_batch_runs_without_a_graph_and_is_counted() -> None:
    steps = [
        [batch(0, 8)],
        [batch(0, 6)],
        [batch(0, 4)],
        [batch(0, 8), batch(0, 4)],
        [batch(0, 4), batch(0, 8)],
    ]
    static = learner(Again())
    same(trace(static, steps), trace(learner(None), steps))
    assert static.graphs is not None
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager.total()) == (4, 3)
    assert (
        str(static.graphs.batch.tally)
        == "4 replays, 3 eager (3 times: a third kind of batch, [3, 4, 2, 4, 4])"
    )


def test_a_recording_that_fails_leaves_nothing_behind_and_is_counted() -> None:
    static = learner(Again(fails="operation not permitted when stream is capturing\nand more"))
    same(trace(static, EPOCH), trace(learner(None), EPOCH))
    assert static.graphs is not None
    (why,) = static.graphs.batch.tally.eager
    assert why == "recording failed: RuntimeError: operation not permitted when stream is capturing"
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager[why]) == (0, 5)


def test_what_is_required_is_an_error_where_it_cannot_be() -> None:
    with pytest.raises(RunError, match="required: a batch cannot run as a CUDA graph: recording failed"):
        learner(Again(fails="no"), cuda_graph="required").step([batch(0, 8)], 0, 0)
    static = learner(Again(), cuda_graph="required")
    for size in (8, 6):
        static.step([batch(0, size)], 0, 0)
    with pytest.raises(RunError, match="a third kind of batch"):
        static.step([batch(0, 4)], 0, 0)
    with pytest.raises(ConfigError, match="detect_anomaly reads every gradient on the host"):
        learner(Again(), cuda_graph="required", detect_anomaly=True)


def test_what_cannot_be_recorded_is_refused_by_name() -> None:
    settings = TrainerConfig()
    assert refusal(settings, Processes()) is None
    assert "DistributedDataParallel" in (refusal(settings, Processes(count=2)) or "")
    capture = Again()
    static = learner(capture, detect_anomaly=True)
    same(trace(static, EPOCH), trace(learner(None), EPOCH))
    assert static.graphs is not None
    assert static.graphs.batch.tally.eager == {"trainer.detect_anomaly reads every gradient on the host": 5}
    assert capture.warmed_up == 0


class Backwards(torch.autograd.Function):
    """Reads a value in its backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        return grads[0] + 0 * float(grads[0].sum())


READS: dict[str, tuple[str, Callable[[torch.Tensor], torch.Tensor]]] = {
    "item": ("reads a value of the device on the host", lambda x: x + 0 * x.sum().item()),
    "if": ("reads a value of the device on the host", lambda x: x if x.sum() > 0 else x + 0),
    "backward": ("reads a value of the device on the host", Backwards.apply),
    "mask": ("has a shape that depends on values", lambda x: x + 0 * x[x > 0].sum()),
    "nonzero": ("has a shape that depends on values", lambda x: x + 0 * x.nonzero().sum()),
}


@pytest.mark.parametrize("deed", READS)
def test_a_network_that_reads_on_the_host_is_refused_by_its_line_and_runs_as_without(deed: str) -> None:
    says, do = READS[deed]

    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = SmallNet("lif")

        def forward(self, x_TBCHW: torch.Tensor) -> torch.Tensor:
            return do(self.net(x_TBCHW))

    capture = Again()
    static = learner(capture, Reading)
    same(trace(static, EPOCH), trace(learner(None, Reading), EPOCH))
    assert static.graphs is not None
    assert (static.graphs.batch.tally.replays, static.graphs.batch.tally.eager.total(), capture.recorded) == (
        0,
        5,
        0,
    )
    assert all(
        re.match(rf"train/{Path(__file__).name}:\d+ {says} \(aten", one)
        for one in static.graphs.batch.tally.eager
    )
    with pytest.raises(RunError, match=says):
        learner(Again(), Reading, cuda_graph="required").step([batch(0, 8)], 0, 0)
