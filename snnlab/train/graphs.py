"""The CUDA graphs of a run: of its batches, of its updates and of its evaluations."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from snnlab.config.schema import TrainerConfig
from snnlab.errors import ConfigError
from snnlab.graphs.capture import Capture
from snnlab.graphs.captured_forward import CapturedForward
from snnlab.graphs.tally import Tally
from snnlab.machine.processes import Processes
from snnlab.train.batch_work import BatchWork
from snnlab.train.captured_batches import CapturedBatches, refusal
from snnlab.train.captured_update import CapturedUpdate
from snnlab.train.update import Update


@dataclass(frozen=True)
class Graphs:
    """What is recorded, with its counts.

    Attributes:
        batch: forward pass, loss terms and backward pass of a batch.
        update: clipping, optimiser and average of the weights.
        capture: records them.
        evaluated: counts the batches of evaluations.
    """

    batch: CapturedBatches
    update: CapturedUpdate
    capture: Capture
    evaluated: Tally = field(default_factory=Tally)

    def forward_of(self, network: nn.Module, trainer: TrainerConfig) -> CapturedForward:
        """The forward pass of evaluations of a network: the one that is trained, or the average of its weights."""
        required = trainer.cuda_graph == "required"
        return CapturedForward(network, trainer.precision, self.capture, self.evaluated, required=required)

    def as_mapping(self) -> dict[str, Any]:
        """What `result.json` says: replays of batches, batches without, and why; the same of updates and evaluation."""
        others = {"updates": self.update.tally, "evaluation": self.evaluated}
        return self.batch.tally.as_mapping() | {name: one.as_mapping() for name, one in others.items()}

    def __str__(self) -> str:
        return f"{self.batch.tally}; updates: {self.update.tally}; evaluation: {self.evaluated}"


def graphs_of(work: BatchWork, update: Update, capture: Capture, processes: Processes) -> Graphs:
    """The graphs of a run, as `trainer.cuda_graph` says. An update that cannot be one is no error.

    Raises:
        ConfigError: they are required, and those of batches are refused.
    """
    required = work.trainer.cuda_graph == "required"
    refused = refusal(work.trainer, processes)
    if required and refused is not None:
        raise ConfigError(
            f"trainer.cuda_graph: required, but {refused}",
            "trainer.cuda_graph=auto runs such steps without graphs",
        )
    batch = CapturedBatches(work, capture, required=required, refused=refused)
    of_update = CapturedUpdate(
        update, update.optimizer, batch.gradients, capture, refused or update.refusal()
    )
    return Graphs(batch, of_update, capture)
