"""Runs each batch of a step as a CUDA graph where it can, else as it is, and counts both."""

from snnlab.config.schema import TrainerConfig
from snnlab.errors import RunError
from snnlab.graphs.capture import Capture
from snnlab.graphs.host_reads import HostReadError, NoHostReads
from snnlab.graphs.kept_state import traceless
from snnlab.graphs.tally import Tally
from snnlab.machine.processes import Processes
from snnlab.train.batch_work import BatchInput, BatchSums, BatchWork
from snnlab.train.static_batch import Signature, StaticBatch, signature
from snnlab.train.static_gradients import StaticGradients

SIGNATURES = 2
"""Kinds of batches that get graphs: the usual one, and the last of an epoch, which is smaller."""


def refusal(trainer: TrainerConfig, processes: Processes) -> str | None:
    """The reason why no step of a run can be a graph, as a clause; None if they can."""
    if processes.count > 1:
        return "DistributedDataParallel exchanges the gradients of several processes outside of graphs"
    if trainer.detect_anomaly:
        return "trainer.detect_anomaly reads every gradient on the host"
    if trainer.compile and _compiles_to_graphs():
        return "torch.compile makes CUDA graphs of its own (TORCHINDUCTOR_CUDAGRAPHS), and no graph can hold another"
    return None


def _compiles_to_graphs() -> bool:
    from torch._inductor import config

    return bool(config.triton.cudagraphs)


class CapturedBatches:
    """The work of batches, recorded for each kind of batch when the first one comes.

    Args:
        work: forward pass, loss terms and backward pass of one batch.
        capture: records it.
        required: whether it is an error to run a batch without a graph.
        refused: reason why nothing is recorded, or None.

    Attributes:
        gradients: the memory of the graphs' gradients.
        tally: how many batches were a graph's.
    """

    def __init__(
        self, work: BatchWork, capture: Capture, *, required: bool, refused: str | None = None
    ) -> None:
        self._work, self._capture, self._required, self._refused = work, capture, required, refused
        self.gradients = StaticGradients(work.model.parameters())
        self._recorded: dict[Signature, StaticBatch | str] = {}
        self.tally = Tally()

    def __call__(self, batch: BatchInput, first: bool) -> BatchSums:
        """Adds a batch's gradients to those of the step and returns its sums.

        Args:
            batch: the batch, on the device.
            first: whether it is the first of its step, before which the gradients count for nothing.

        Raises:
            RunError: it cannot be a graph, and that is required.
        """
        recorded = self._of(batch, first)
        if isinstance(recorded, StaticBatch):
            self.tally.replays += 1
            return recorded.replay(batch, first)
        if self._required:
            raise RunError(
                f"trainer.cuda_graph=required: a batch cannot run as a CUDA graph: {recorded}",
                "trainer.cuda_graph=auto runs it without, and counts it",
            )
        self.tally.eager[recorded] += 1
        if first:
            self.gradients.release()
        return self._work(batch)

    def _of(self, batch: BatchInput, first: bool) -> StaticBatch | str:
        """The graphs for a batch, or the reason why there are none."""
        if self._refused is not None:
            return self._refused
        key = signature(batch)
        if key not in self._recorded and self._count() == SIGNATURES:
            return f"a third kind of batch, {list(batch.x_TBCHW.shape)}"
        found = self._recorded.get(key)
        if isinstance(found, str):
            return found
        try:
            with traceless(self._work.model, self._work.loss, *self._work.regularisers.values()):
                if found is None:
                    found = self._warmed_up(batch)
                found.record(first)
        except HostReadError as error:
            self._recorded[key] = str(error)
        except RuntimeError as error:
            self._recorded[key] = f"recording failed: {_first_line(error)}"
        else:
            self._recorded[key] = found
        return self._recorded[key]

    def _count(self) -> int:
        return sum(isinstance(one, StaticBatch) for one in self._recorded.values())

    def _warmed_up(self, batch: BatchInput) -> StaticBatch:
        static = StaticBatch(batch, self._work, self.gradients, self._capture)

        def warm_up() -> None:
            static.warm_up(batch)
            # After the first run, which may set something up. What torch.compile makes reads nothing, and does not
            # run in such a mode.
            if not self._work.trainer.compile:
                with NoHostReads(batch.x_TBCHW.device):
                    self._work(batch)

        static.learned = self.gradients.allocate(warm_up)
        return static


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'without a word'}"
