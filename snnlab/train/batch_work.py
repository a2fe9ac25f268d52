"""What is computed for one batch of a training step: forward pass, loss terms, backward pass.

It reads no tensor on the host and has no shape that depends on values, so that a CUDA graph can hold it. Shapes: T time
steps, B batch, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from snnlab.config.schema import TrainerConfig
from snnlab.layers.packing import packed_spikes
from snnlab.layers.two_heads import mean_of_heads
from snnlab.losses.base import Loss
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.machine.device import autocast
from snnlab.regularisers.base import Regulariser


@dataclass(frozen=True)
class BatchInput:
    """One batch on the device of the training.

    Attributes:
        x_TBCHW: the network's input.
        target_B: classes [B].
        learned: what the loss is told: the classes, or probabilities [B, K] where an augmentation mixes samples.
        teacher_BK: the teacher's logits, if the loss has a teacher.
        share: share of the batch's samples in the step's: a number, or a scalar tensor of it.
    """

    x_TBCHW: Tensor
    target_B: Tensor
    learned: Tensor
    teacher_BK: Tensor | None
    share: Tensor | float


@dataclass(frozen=True)
class BatchSums:
    """What a batch adds to the statistics of its step. It is valid until the next batch runs.

    Attributes:
        terms: each term of the loss and each regulariser's, times the batch's share.
        correct: number of samples that the time-mean logits classify correctly.
    """

    terms: dict[str, Tensor]
    correct: Tensor


@dataclass(frozen=True)
class BatchWork:
    """Adds the gradients of a batch to those of the network's parameters.

    Attributes:
        model: the network, in training mode.
        forward: how it is called: itself, or compiled, or inside of DistributedDataParallel.
        loss: the objective.
        regularisers: penalties beside the loss, by the name of their term.
        scaler: of the gradients, with fp16.
        trainer: precision and packing.
        processes: number of processes, whose gradients DistributedDataParallel averages.
    """

    model: nn.Module
    forward: Callable[[Tensor], Tensor]
    loss: Loss
    regularisers: Mapping[str, Regulariser]
    scaler: torch.amp.GradScaler
    trainer: TrainerConfig
    processes: int = 1

    def __call__(self, batch: BatchInput) -> BatchSums:
        # A weight is used once in a forward pass, so a cache of weights in 16 bits saves nothing. A graph must not
        # hold one: it would be filled when the graph is recorded, and never again.
        precision = autocast(batch.x_TBCHW.device, self.trainer.precision, cache=False)
        with precision, ExitStack() as watching:
            for regulariser in self.regularisers.values():
                watching.enter_context(regulariser.watching(self.model))
            if self.trainer.pack_spikes:
                watching.enter_context(packed_spikes(self.model))
            logits = self.forward(batch.x_TBCHW)
        logits = logits.float()
        parts = {name: term * batch.share for name, term in self._terms(logits, batch).items()}
        # DistributedDataParallel averages the processes' gradients; the sum is needed.
        loss = torch.stack(list(parts.values())).sum() * self.processes
        # Each node of a GPU's backward pass would be handed over to a thread of autograd's.
        with torch.autograd.set_multithreading_enabled(self.trainer.autograd_threads):
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # untyped in torch
        correct = (mean_of_heads(logits.detach()).mean(0).argmax(-1) == batch.target_B).sum()
        return BatchSums({name: part.detach() for name, part in parts.items()}, correct)

    def _terms(self, logits: Tensor, batch: BatchInput) -> dict[str, Tensor]:
        if isinstance(self.loss, TeacherLoss):
            terms = self.loss.terms(logits, batch.learned, batch.teacher_BK)
        else:
            terms = self.loss.terms(logits, batch.learned)
        assert not terms.keys() & self.regularisers.keys(), "a regulariser is named like a term of the loss"
        return terms | {name: one.term(self.model) for name, one in self.regularisers.items()}
