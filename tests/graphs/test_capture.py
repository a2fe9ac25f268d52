"""How CUDA is asked for graphs, told by stand-ins for `torch.cuda`; and when there are any."""

import itertools
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from snnlab.config.schema import TrainerConfig
from snnlab.errors import ConfigError
from snnlab.graphs.capture import WARM_UPS, CudaCapture, Work, capture_for

GPU = torch.device("cuda", 0)


class Stream:
    """A stream that notes what it waits for."""

    def __init__(self, name: str, told: list[Any]) -> None:
        self.name, self.told = name, told

    def wait_stream(self, other: "Stream") -> None:
        self.told.append(f"{self.name} waits for {other.name}")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `torch.cuda` has been told, in order."""
    told: list[Any] = []

    @contextmanager
    def inside(stream: Stream) -> Any:
        told.append(f"in {stream.name}")
        yield
        told.append("out")

    @contextmanager
    def graph(graph: Any, pool: Any, stream: Stream, capture_error_mode: str) -> Any:
        told.append(("record", pool, stream.name, capture_error_mode))
        yield

    class Graph:
        def replay(self) -> None:
            told.append("replay")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream("capture", told))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("current", told))
    monkeypatch.setattr(torch.cuda, "stream", inside)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    pools = itertools.count()
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: f"pool {next(pools)}")
    return told


def test_work_is_warmed_up_on_the_stream_of_the_capture(told: list[Any]) -> None:
    CudaCapture(GPU).warm_up(lambda: told.append("work"))
    before, after = ["capture waits for current", "in capture"], ["out", "current waits for capture"]
    assert told == [*before, *["work"] * WARM_UPS, *after]


def test_graphs_share_one_pool_and_stream_and_let_other_threads_call_cuda(told: list[Any]) -> None:
    capture = CudaCapture(GPU)
    replays = [capture.record(lambda: told.append("work")) for _ in range(2)]
    record = told[0]
    assert record == ("record", record[1], "capture", "thread_local")
    assert told == [record, "work", record, "work"]
    replays[1]()
    assert told[-1] == "replay"


def test_a_pool_is_given_up_with_its_last_graph_and_after_a_recording_that_fails(told: list[Any]) -> None:
    """PyTorch refuses to open it again: `use_count > 0 INTERNAL ASSERT FAILED`."""

    def fails() -> None:
        raise RuntimeError("not permitted")

    capture = CudaCapture(GPU)

    def pool(work: Work = lambda: None) -> str:
        kept.append(capture.record(work))
        name: str = told[-1][1]
        return name

    kept: list[Work] = []
    first = pool()
    assert pool() == first
    kept.pop(0)
    assert pool() == first
    kept.clear()
    second = pool()
    assert second != first
    kept.clear()
    with pytest.raises(RuntimeError, match="not permitted"):
        pool(fails)
    assert told[-1][1] != second
    assert pool() not in (first, second, told[-2][1])


def test_there_are_graphs_on_a_gpu_unless_they_are_off(told: list[Any]) -> None:
    assert isinstance(capture_for(TrainerConfig(), GPU), CudaCapture)
    assert isinstance(capture_for(TrainerConfig(cuda_graph="required"), GPU), CudaCapture)
    assert capture_for(TrainerConfig(cuda_graph="off"), GPU) is None
    cpu = torch.device("cpu")
    assert capture_for(TrainerConfig(), cpu) is None
    with pytest.raises(ConfigError, match="required, but the device is the cpu"):
        capture_for(TrainerConfig(cuda_graph="required"), cpu)
