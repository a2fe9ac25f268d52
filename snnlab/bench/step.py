"""One training step of a network on a GPU, by several contenders: eager, as CUDA graphs, compiled.

ReLU and snnlab take the step of `snnlab train` (`trainer.cuda_graph`, `trainer.compile`), spikingjelly a plain loop and
its own graphs. Shapes: T time steps, B batch, C channels, H height, W width.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from snnlab.bench.rivals import makers
from snnlab.bench.worker import DTYPES, channels_last, timed
from snnlab.build import construct
from snnlab.config.schema import Component, TrainerConfig
from snnlab.data.inputs import InputPipeline
from snnlab.graphs.capture import capture_for
from snnlab.losses.sdt import SDT
from snnlab.norms import BN
from snnlab.optimizers import SGD
from snnlab.schedulers.constant import Constant
from snnlab.train.learner import Learner

SHAPES = {
    "resnet19_snn": (4, 3, 32, 10),
    "vgg_snn": (10, 2, 48, 10),
    "spikformer": (4, 3, 32, 10),
    "sew_resnet18_snn": (4, 3, 224, 1000),
}
"""T, channels, image size, classes."""
WARM_UP = 3
LR, MOMENTUM = 0.01, 0.9


class Given:
    """One batch of a case: input and classes, on the device."""

    def __init__(self, case: dict[str, Any]) -> None:
        steps, channels, size, classes = case.get("shape") or SHAPES[case["network"]]
        device = case["device"]
        self.x_TBCHW = (torch.rand(steps, case["batch"], channels, size, size, device=device) < 0.3).float()
        if case["layout"] == "channels_last":
            self.x_TBCHW = channels_last(self.x_TBCHW)
        self.target_B = torch.randint(0, classes, (case["batch"],), device=device)


def network(case: dict[str, Any]) -> nn.Module:
    """The network of a case with the neuron of its contender."""
    steps, channels, size, classes = case.get("shape") or SHAPES[case["network"]]
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
    model: nn.Module = construct("model", Component(case["network"], case.get("params") or {}), context)
    model = model.to(case["device"])
    return model.to(memory_format=torch.channels_last) if case["layout"] == "channels_last" else model


class Trainers:
    """The step of `snnlab train`, on a batch that is ready.

    Args:
        case: network, neuron, batch, layout, dtype, device, mode, and optionally the model's own `params` and `shape`.
    """

    def __init__(self, case: dict[str, Any]) -> None:
        device = torch.device(case["device"])
        self.given, self.model = Given(case), network(case)
        graph: Any = "required" if "graph" in case["mode"] else "off"
        settings = TrainerConfig(precision=case["dtype"], cuda_graph=graph, compile="compile" in case["mode"])
        optimizer = SGD(self.model, lr=LR, momentum=MOMENTUM, weight_decay=0.0)
        self.learner = Learner(
            self.model,
            SDT(),
            optimizer,
            Constant(optimizer, 1, 1),
            cast(InputPipeline, _Ready(device)),
            settings,
            capture=capture_for(settings, device),
        )

    def step(self) -> Tensor:
        """The whole step; returns its loss."""
        return self.learner.step([(self.given.x_TBCHW, self.given.target_B)], 0, 0).loss

    def graphs(self) -> dict[str, Any] | None:
        """How much ran as graphs."""
        return None if self.learner.graphs is None else self.learner.graphs.as_mapping()


class _Ready:
    """Stands in for the input pipeline: a batch is the network's input."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def train(self, raw: Tensor, epoch: int, batch: int) -> Tensor:
        return raw

    def mixed(self, x_TBCHW: Tensor, target_B: Tensor, epoch: int, batch: int) -> tuple[Tensor, Tensor]:
        return x_TBCHW, target_B


class Loop:
    """A plain training loop, with spikingjelly's own capture of forward, loss and backward in the modes with graphs.

    Args:
        case: as of `Trainers`.
    """

    def __init__(self, case: dict[str, Any]) -> None:
        self.given, self.model = Given(case), network(case)
        self._device, self._dtype = case["device"], DTYPES[case["dtype"]]
        run = torch.compile(self.model) if "compile" in case["mode"] else self.model
        self._run = cast(Callable[[Tensor], Tensor], run)
        parameters = self.model.parameters()
        self._optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM, fused=True)
        self._gradients: Callable[[Tensor, Tensor], Tensor] = self.gradients
        self._keeps = "graph" in case["mode"]
        if self._keeps:
            from spikingjelly.activation_based._cuda_graph import StaticCudaGraph

            self._gradients = StaticCudaGraph(self.gradients, WARM_UP)

    def gradients(self, x_TBCHW: Tensor, target_B: Tensor) -> Tensor:
        """Zeroes gradients, then forward, loss and backward; returns the loss."""
        self._optimizer.zero_grad(set_to_none=not self._keeps)
        # A cache of casted weights would outlive the graph that they were casted in.
        enabled = self._dtype != torch.float32
        with torch.autocast(self._device, dtype=self._dtype, enabled=enabled, cache_enabled=False):
            logits_BK = self._run(x_TBCHW).float().mean(0)
        loss = nn.functional.cross_entropy(logits_BK, target_B)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        return loss.detach()

    def step(self) -> Tensor:
        """The whole step; returns its loss."""
        loss = self._gradients(self.given.x_TBCHW, self.given.target_B)
        self._optimizer.step()
        return loss

    def graphs(self) -> None:
        """Its graphs are not counted here."""


def training(case: dict[str, Any]) -> Trainers | Loop:
    """The contender of a case."""
    return Loop(case) if case["neuron"] == "spikingjelly" else Trainers(case)


def measure_step(case: dict[str, Any]) -> dict[str, Any]:
    """Time of a step, samples per second, the memory that it takes beyond weights and batch, and what ran as graphs."""
    cuda = case["device"] != "cpu"
    one = training(case)
    before = torch.cuda.memory_allocated() if cuda else 0
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    # Graphs are recorded, and torch.compile's code is made, in the first steps.
    for _ in range(WARM_UP + 1):
        one.step()
    found = timed(one.step, case)
    return {
        "train": found,
        "samples_per_second": case["batch"] / found["ms"] * 1e3,
        "step_mb": (torch.cuda.max_memory_allocated() - before) / 1e6 if cuda else None,
        "graphs": one.graphs(),
    }
