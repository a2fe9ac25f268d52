"""The work of one batch on tensors that stay where they are, recorded as graphs."""

from collections.abc import Callable

import torch
from torch import Tensor

from snnlab.graphs.capture import Capture, Work
from snnlab.graphs.neuron_calls import NeuronCalls
from snnlab.graphs.static_tensor import Layout, copy_in, empty, layout
from snnlab.train.batch_work import BatchInput, BatchSums
from snnlab.train.static_gradients import Learned, StaticGradients

Signature = tuple[Layout, ...]


def signature(batch: BatchInput) -> Signature:
    """Shape, strides and dtype of each tensor of a batch: what has to be equal for one graph to serve two batches."""
    tensors = (batch.x_TBCHW, batch.target_B, batch.learned, batch.teacher_BK)
    return tuple(layout(one) for one in tensors)


class StaticBatch:
    """The work for batches of one signature: copied in, replayed, and copied out.

    The first batch of a step is one graph, which zeroes the gradients; a further batch of the same step, whose
    gradients are added, is another one.

    Args:
        like: a batch of that signature.
        work: forward pass, loss terms and backward pass.
        gradients: where the gradients go.
        capture: records the graphs.

    Attributes:
        learned: the parameters that get gradients, known before the first graph is recorded.
    """

    def __init__(
        self,
        like: BatchInput,
        work: Callable[[BatchInput], BatchSums],
        gradients: StaticGradients,
        capture: Capture,
    ) -> None:
        x_TBCHW = like.x_TBCHW
        self._batch = BatchInput(
            empty(x_TBCHW),
            empty(like.target_B),
            empty(like.learned),
            None if like.teacher_BK is None else empty(like.teacher_BK),
            torch.zeros((), device=x_TBCHW.device),
        )
        self._work, self._gradients, self._capture = work, gradients, capture
        self._names: list[str] = []
        self._terms_N = torch.empty(0, device=x_TBCHW.device)
        self._correct = torch.zeros((), dtype=torch.long, device=x_TBCHW.device)
        self._replays: dict[bool, Work] = {}
        self._calls = NeuronCalls()
        self.learned: Learned = frozenset()

    def warm_up(self, batch: BatchInput) -> None:
        """Does the work a few times, which leaves statistics, generators and counts changed."""
        self._copy_in(batch)

        def named() -> None:
            self._names = list(self._work(self._batch).terms)

        self._capture.warm_up(lambda: self._calls.observe(named))
        self._terms_N = torch.zeros(len(self._names), device=self._correct.device)

    def record(self, first: bool) -> None:
        """Records the graph of the first or of a further batch of a step, unless it is there."""
        if first not in self._replays:
            self._gradients.bind(self.learned, keep=not first)
            self._replays[first] = self._capture.record(lambda: self._run(first))

    def replay(self, batch: BatchInput, first: bool) -> BatchSums:
        """The sums of a batch, whose gradients are added to those of the step; the next replay overwrites them."""
        self._gradients.bind(self.learned, keep=not first)
        self._copy_in(batch)
        with self._calls.counted():
            self._replays[first]()
        return BatchSums(dict(zip(self._names, self._terms_N.unbind(), strict=True)), self._correct)

    def _run(self, first: bool) -> None:
        if first:
            self._gradients.zero(self.learned)
        sums = self._work(self._batch)
        self._terms_N.copy_(torch.stack(list(sums.terms.values())))
        self._correct.copy_(sums.correct)

    def _copy_in(self, batch: BatchInput) -> None:
        own = self._batch
        for to, source in (
            (own.x_TBCHW, batch.x_TBCHW),
            (own.target_B, batch.target_B),
            (own.learned, batch.learned),
            (own.teacher_BK, batch.teacher_BK),
        ):
            if to is not None and source is not None:
                copy_in(to, source)
        assert isinstance(own.share, Tensor)
        own.share.fill_(batch.share)
