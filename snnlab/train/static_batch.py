"""The work of one batch on tensors that stay where they are, recorded as graphs."""

from collections.abc import Callable

import torch
from torch import Tensor

from snnlab.kernels import counts
from snnlab.train.batch_work import BatchInput, BatchSums
from snnlab.train.capture import Capture, Work
from snnlab.train.static_gradients import Learned, StaticGradients

Signature = tuple[tuple[object, ...], ...]


def signature(batch: BatchInput) -> Signature:
    """Shape, strides and dtype of each tensor of a batch: what has to be equal for one graph to serve two batches."""
    tensors = (batch.x_TBCHW, batch.target_B, batch.learned, batch.teacher_BK)
    return tuple(() if one is None else (one.shape, one.stride(), one.dtype) for one in tensors)


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
            _empty(x_TBCHW),
            _empty(like.target_B),
            _empty(like.learned),
            None if like.teacher_BK is None else _empty(like.teacher_BK),
            torch.zeros((), device=x_TBCHW.device),
        )
        self._work, self._gradients, self._capture = work, gradients, capture
        self._names: list[str] = []
        self._terms_N = torch.empty(0, device=x_TBCHW.device)
        self._correct = torch.zeros((), dtype=torch.long, device=x_TBCHW.device)
        self._replays: dict[bool, Work] = {}
        self._calls: dict[str, int] = {}
        self.learned: Learned = frozenset()

    def warm_up(self, batch: BatchInput) -> None:
        """Does the work a few times, which leaves statistics, generators and counts changed."""
        self._copy_in(batch)

        def observed() -> None:
            before = counts().copy()
            self._names = list(self._work(self._batch).terms)
            self._calls = dict(counts() - before)

        self._capture.warm_up(observed)
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
        before = counts().copy()
        self._replays[first]()
        # A graph runs the neurons' kernels without asking for a back end.
        counts().clear()
        counts().update(before)
        counts().update(self._calls)
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
                _distinct(to).copy_(_distinct(source), non_blocking=True)
        assert isinstance(own.share, Tensor)
        own.share.fill_(batch.share)


def _empty(like: Tensor) -> Tensor:
    """Memory laid out like a tensor, repeated where it repeats itself, as a still image does over time."""
    return torch.empty_strided(like.shape, like.stride(), dtype=like.dtype, device=like.device)


def _distinct(x: Tensor) -> Tensor:
    """The part of a tensor that holds each number in memory once."""
    for axis, step in enumerate(x.stride()):
        if step == 0 and x.shape[axis] > 1:
            x = x.narrow(axis, 0, 1)
    return x
