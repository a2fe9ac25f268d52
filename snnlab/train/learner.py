"""The training step and the state that it changes: network, average, optimiser, schedule, gradient scaler."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from snnlab.config.schema import TrainerConfig
from snnlab.data.inputs import Batch, InputPipeline
from snnlab.errors import RunError
from snnlab.graphs.capture import Capture
from snnlab.layers.two_heads import take_heads_apart
from snnlab.losses.base import Loss
from snnlab.machine.processes import ALONE, Processes
from snnlab.regularisers.base import Regulariser
from snnlab.train.average import Average
from snnlab.train.batch_work import BatchInput, BatchWork
from snnlab.train.graphs import graphs_of
from snnlab.train.teacher import CachedTeacher, Teacher
from snnlab.train.tensor_rates import tensor_rates
from snnlab.train.update import Update


@dataclass(frozen=True)
class StepResult:
    """Statistics of a step, still on the device.

    Attributes:
        terms: each term of the loss and each regulariser's, mean over the step's samples.
        correct: number of samples that the time-mean logits classify correctly; of mixed ones, their first sample.
        count: number of samples.
        x_TBCHW: the last input, to find the layer at fault if the loss is not finite.
    """

    terms: dict[str, Tensor]
    correct: Tensor
    count: int
    x_TBCHW: Tensor

    @cached_property
    def loss(self) -> Tensor:
        """The loss, the sum of its terms."""
        return torch.stack(list(self.terms.values())).sum()


class Learner:
    """A network in training.

    Args:
        model: the network, on its device.
        loss: the objective.
        optimizer: over the network's parameters.
        scheduler: stepped after each optimiser step.
        pipeline: makes the network's input from a stored batch.
        trainer: precision, clipping, averaging, compilation.
        teacher: for a loss that needs one.
        regularisers: penalties beside the loss, by the name of their term.
        processes: the processes that train the network together, each on its part of a batch (DistributedDataParallel).
        capture: records the work of a batch, and the update after it, as CUDA graphs; None: nothing is recorded.

    Attributes:
        graphs: the recorded work, and how often it ran; None without `capture`.

    Raises:
        ConfigError: graphs are required and cannot be had.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        scheduler: Any,
        pipeline: InputPipeline,
        trainer: TrainerConfig,
        teacher: Teacher | CachedTeacher | None = None,
        regularisers: Mapping[str, Regulariser] | None = None,
        processes: Processes = ALONE,
        capture: Capture | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.pipeline = pipeline
        self.trainer = trainer
        self.teacher = teacher
        self.regularisers = dict(regularisers or {})
        self.processes = processes
        if loss.heads_apart:
            take_heads_apart(model)
        self.average = None if trainer.ema is None else Average(model, trainer.ema)
        # Only fp16 needs its loss scaled: bf16 has the exponents of fp32.
        self.scaler = torch.amp.GradScaler(pipeline.device.type, enabled=trainer.precision == "fp16")
        self._parallel: DistributedDataParallel | None = None
        if processes.count > 1:
            gpu = [pipeline.device] if pipeline.device.type == "cuda" else None
            # Running statistics are the leader's and are broadcast before an evaluation.
            self._parallel = DistributedDataParallel(model, device_ids=gpu, broadcast_buffers=False)
        forward = model if self._parallel is None else self._parallel
        self._work = BatchWork(
            model,
            torch.compile(forward) if trainer.compile else forward,
            loss,
            self.regularisers,
            self.scaler,
            trainer,
            processes.count,
        )
        rates = tensor_rates(optimizer, pipeline.device)
        self._update = Update(model, optimizer, self.average, self.scaler, trainer.clip_norm, rates)
        self.graphs = None if capture is None else graphs_of(self._work, self._update, capture, processes)

    def step(
        self, batches: Sequence[Batch], epoch: int, first_batch: int, count: int | None = None
    ) -> StepResult:
        """One optimiser step over one or more batches, whose gradients sum to that of their union.

        (Except for statistics over a batch: those of normalisation, and TMC's ratio of batch means.) On the CPU a loss
        that is not finite changes no weight, so that the layer at fault can still be found. With several processes,
        each has its part of the batches, and the result covers all.

        Args:
            batches: as stored; more than one when gradients are accumulated.
            epoch: counted from 0; with the batch's number it fixes the augmentation.
            first_batch: number of the first batch within the epoch.
            count: number of samples of these batches in all processes; None: those of `batches`.

        Raises:
            RunError: the optimiser's step size is beyond the numbers of float32, or a batch cannot run as a graph where
                that is required.
        """
        self.model.train()
        count = sum(len(target) for _, target in batches) if count is None else count
        terms: dict[str, Tensor] = {}
        correct = torch.zeros((), dtype=torch.long, device=self.pipeline.device)
        for offset, (raw, target) in enumerate(batches):
            x_TBCHW = self.pipeline.train(raw, epoch, first_batch + offset)
            target_B = target.to(self.pipeline.device, non_blocking=True)
            x_TBCHW, learned = self.pipeline.mixed(x_TBCHW, target_B, epoch, first_batch + offset)
            teacher_BK = self._taught(x_TBCHW, epoch, first_batch + offset)
            with self._exchanged(last=offset == len(batches) - 1):
                batch = BatchInput(x_TBCHW, target_B, learned, teacher_BK, len(target) / count)
                first = offset == 0
                sums = self._work(batch) if self.graphs is None else self.graphs.batch(batch, first)
            for name, part in sums.terms.items():
                terms[name] = terms.get(name, 0.0) + part
            correct += sums.correct
        if self.processes.count > 1:
            *all_terms, correct = self.processes.sum(torch.stack([*terms.values(), correct])).unbind()
            terms, correct = dict(zip(terms, all_terms, strict=True)), correct.round().long()
        result = StepResult(terms, correct, count, x_TBCHW)
        # On a GPU reading the loss would synchronise.
        if self.pipeline.device.type != "cpu" or torch.isfinite(result.loss):
            self._step()
        return result

    def _exchanged(self, last: bool) -> AbstractContextManager[None]:
        """Context of a batch: gradients are exchanged between processes only after the last batch of a step."""
        return nullcontext() if self._parallel is None or last else self._parallel.no_sync()

    def _taught(self, x_TBCHW: Tensor, epoch: int, batch: int) -> Tensor | None:
        return None if self.teacher is None else self.teacher.of_batch(x_TBCHW, epoch, batch)

    def _step(self) -> None:
        try:
            self._update.write_rates()
            (self._update if self.graphs is None else self.graphs.update)()
        except (RuntimeError, OverflowError) as error:
            if "overflow" not in str(error):
                raise
            raise RunError(f"the optimiser's step overflows: {error}", "lower optimizer.lr") from error
        self.optimizer.zero_grad(set_to_none=True)
        self.scheduler.step()

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def weights(self) -> dict[str, Any]:
        """The network's weights and, if there is one, their moving average."""
        average = None if self.average is None else self.average.module.state_dict()
        return {"model": self.model.state_dict(), "average": average}

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if state["optimizer"] is not None:  # a finished run keeps none
            self.optimizer.load_state_dict(state["optimizer"])
        if self.graphs is not None:
            self.graphs.update.forget()
        self.scheduler.load_state_dict(state["scheduler"])
        self.scaler.load_state_dict(state["scaler"])
