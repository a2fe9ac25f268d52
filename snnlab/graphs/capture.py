"""Records work on a GPU as a CUDA graph, which is launched as a whole.

Not run on a GPU in this version: the tests put a capture in its place that does the work again for each replay.
"""

from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet

import torch

from snnlab.config.schema import TrainerConfig
from snnlab.errors import ConfigError

Work = Callable[[], None]
WARM_UPS = 3


class Capture(Protocol):
    """What records work that takes no argument, reads static tensors and writes static tensors."""

    def warm_up(self, work: Work) -> None:
        """Does the work where it will be recorded, so that libraries and compilers are set up by then."""

    def record(self, work: Work) -> Work:
        """Returns what does the work again; the work is not done while it is recorded."""


class CudaCapture:
    """Graphs of one GPU, which share their memory; only one of them may run at a time.

    Args:
        device: the GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # untyped in torch
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()

    def warm_up(self, work: Work) -> None:
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                work()
        current.wait_stream(self._stream)

    def record(self, work: Work) -> Work:
        if not self._graphs:
            # PyTorch gives up a pool with the last graph in it, and refuses to open it again.
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as the loader's that pins memory, may call CUDA meanwhile.
        with torch.cuda.graph(graph, self._pool, self._stream, capture_error_mode="thread_local"):
            work()
        self._graphs.add(graph)
        return graph.replay


def capture_for(trainer: TrainerConfig, device: torch.device) -> Capture | None:
    """What records the steps of a run; None on the CPU, which has no graphs, and where they are off.

    Raises:
        ConfigError: graphs are required on the CPU.
    """
    if device.type != "cuda":
        if trainer.cuda_graph == "required":
            raise ConfigError(
                f"trainer.cuda_graph: required, but the device is the {device.type}, which has no CUDA graphs",
                "trainer.cuda_graph=auto uses them where there is a GPU",
            )
        return None
    return None if trainer.cuda_graph == "off" else CudaCapture(device)
