"""Passes of stored networks over their data: on a GPU as CUDA graphs, unless they are off, and counted.

Shapes: T time steps, B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.config.schema import RunConfig, TrainerConfig
from snnlab.evaluate.one_pass import Evaluation
from snnlab.evaluate.stored_run import StoredRun, load_run
from snnlab.graphs.capture import capture_for
from snnlab.graphs.captured_forward import CapturedForward
from snnlab.graphs.captured_stream import CapturedStreaming
from snnlab.graphs.tally import Tally
from snnlab.layers.streaming import Streaming
from snnlab.machine.device import autocast, set_up
from snnlab.runs.log import RunLog


class Passes:
    """Runs networks for a measurement; the graphs of a network are kept until another one comes.

    Args:
        trainer: says whether there are graphs (`cuda_graph`).
        device: of the networks.

    Attributes:
        tally: how many batches were a graph's; with streaming, how many steps, too.

    Raises:
        ConfigError: graphs are required where there are none.
    """

    def __init__(self, trainer: TrainerConfig, device: torch.device) -> None:
        self._capture = capture_for(trainer, device)
        self._required = trainer.cuda_graph == "required"
        self._network: nn.Module | None = None
        self._forward: CapturedForward | None = None
        self.tally = Tally()

    def evaluate(self, stored: StoredRun) -> Evaluation:
        """Accuracy, calibration and firing rates of a network at every step.

        Raises:
            RunError: a batch cannot be a graph, and that is required.
        """
        return stored.evaluate(self.forward_of(stored))

    def forward_of(self, stored: StoredRun) -> CapturedForward | None:
        """What stands in for the calls of the network in an evaluation; None: nothing does."""
        if self._capture is None:
            return None
        if self._network is not stored.model:
            self._network = stored.model
            self._forward = self._captured(stored.model, stored.cfg.trainer.precision, rates=True)
        return self._forward

    def logits_of(
        self, network: nn.Module, device: torch.device, precision: str
    ) -> Callable[[Tensor], Tensor]:
        """The network alone, without firing rates: x_TBCHW -> logits [T, B, K], which are valid until the next call."""
        if self._capture is not None:
            return self._captured(network, precision, rates=False)

        def plainly(x_TBCHW: Tensor) -> Tensor:
            with autocast(device, precision):
                logits_TBK: Tensor = network(x_TBCHW)
            return logits_TBK

        return plainly

    def streaming_of(self, network: nn.Module) -> Streaming:
        """The network step by step.

        Raises:
            ValueError: it cannot run so.
        """
        if self._capture is None:
            return Streaming(network)
        return CapturedStreaming(network, self._capture, self.tally, required=self._required)

    def description(self) -> dict[str, Any]:
        """What a file with measurements says of the graphs; nothing where there can be none."""
        return {} if self._capture is None else {"cuda_graph": self.tally.as_mapping()}

    def say(self, log: RunLog) -> None:
        """Writes the same as a line."""
        if self._capture is not None:
            log.write(f"graphs   cuda graph: {self.tally}")

    def _captured(self, network: nn.Module, precision: str, *, rates: bool) -> CapturedForward:
        assert self._capture is not None
        return CapturedForward(
            network, precision, self._capture, self.tally, required=self._required, rates=rates
        )


def opened(cfg: RunConfig, folder: Path, which: str, weights: str) -> tuple[StoredRun, Passes]:
    """A stored run, and what runs its network.

    Args:
        cfg: the run's configuration with overrides.
        folder: the run directory.
        which: `last` or `best`.
        weights: `model` or `average`.

    Raises:
        SnnlabError: no such checkpoint or average, its weights do not fit the configuration, or CUDA graphs are
            required and cannot be had.
    """
    device = set_up(cfg.trainer)
    passes = Passes(cfg.trainer, device)  # refuses before weights are read
    return load_run(cfg, folder, which, device, weights), passes
