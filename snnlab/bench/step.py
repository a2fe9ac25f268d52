"""One optimiser step of a network on a GPU, by several contenders: eager, as one CUDA graph, compiled.

Shapes: T time steps, B batch, C channels, H height, W width.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.bench.rivals import makers
from snnlab.bench.worker import DTYPES, channels_last, timed
from snnlab.build import construct
from snnlab.config.schema import Component
from snnlab.norms import BN

SHAPES = {
    "resnet19_snn": (4, 3, 32, 10),
    "vgg_snn": (10, 2, 48, 10),
    "spikformer": (4, 3, 32, 10),
    "sew_resnet18_snn": (4, 3, 224, 1000),
}
"""T, channels, image size, classes."""
WARM_UP = 3


class Training:
    """A network with its optimiser and one batch.

    Args:
        case: network, neuron, batch, layout, dtype, device, and optionally the model's own `params` and `shape`.
    """

    def __init__(self, case: dict[str, Any]) -> None:
        steps, channels, size, classes = case.get("shape") or SHAPES[case["network"]]
        self.device, self.dtype = case["device"], DTYPES[case["dtype"]]
        maker = makers()[case["neuron"]]

        def neuron(**_: object) -> nn.Module:
            return maker()

        context = {
            "neuron": neuron,
            "norm": BN,
            "in_channels": channels,
            "num_classes": classes,
            "image_size": size,
            "num_steps": steps,
        }
        model = construct("model", Component(case["network"], case.get("params") or {}), context)
        self.model: nn.Module = model.to(self.device)
        self.x_TBCHW = (
            torch.rand(steps, case["batch"], channels, size, size, device=self.device) < 0.3
        ).float()
        if case["layout"] == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
            self.x_TBCHW = channels_last(self.x_TBCHW)
        self.target_B = torch.randint(0, classes, (case["batch"],), device=self.device)
        compiled = "compile" in case["mode"]
        self.run = torch.compile(self.model) if compiled else self.model
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)

    def gradients(self, x_TBCHW: Tensor, target_B: Tensor) -> Tensor:
        """Forward, loss and backward; returns the loss."""
        # A cache of casted weights would outlive the graph that they were casted in.
        enabled = self.dtype != torch.float32
        with torch.autocast(self.device, dtype=self.dtype, enabled=enabled, cache_enabled=False):
            logits_BK: Tensor = self.run(x_TBCHW).float().mean(0)
        loss = nn.functional.cross_entropy(logits_BK, target_B)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        return loss.detach()

    def step(self) -> None:
        """The whole step, which also one graph holds."""
        self.optimizer.zero_grad(set_to_none=True)
        self.gradients(self.x_TBCHW, self.target_B)
        self.optimizer.step()


def as_graph(step: Callable[[], object]) -> Callable[[], object]:
    """The replay of a step that is captured as one CUDA graph."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # untyped in torch
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def as_spikingjelly_graph(training: Training) -> Callable[[], object]:
    """spikingjelly's own capture, of forward, loss and backward; the optimiser's step follows it."""
    from spikingjelly.activation_based._cuda_graph import StaticCudaGraph

    def gradients(x_TBCHW: Tensor, target_B: Tensor) -> Tensor:
        training.optimizer.zero_grad(set_to_none=False)
        return training.gradients(x_TBCHW, target_B)

    captured = StaticCudaGraph(gradients, WARM_UP)

    def step() -> None:
        captured(training.x_TBCHW, training.target_B)
        training.optimizer.step()

    return step


def measure_step(case: dict[str, Any]) -> dict[str, Any]:
    """Time of a step, samples per second, and the memory that it takes beyond weights and batch."""
    cuda = case["device"] != "cpu"
    training = Training(case)
    step: Callable[[], object] = training.step
    before = torch.cuda.memory_allocated() if cuda else 0
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    if "graph" in case["mode"]:
        own = case["neuron"] == "spikingjelly"
        step = as_spikingjelly_graph(training) if own else as_graph(training.step)
    found = timed(step, case)
    return {
        "train": found,
        "samples_per_second": case["batch"] / found["ms"] * 1e3,
        "step_mb": (torch.cuda.max_memory_allocated() - before) / 1e6 if cuda else None,
    }
