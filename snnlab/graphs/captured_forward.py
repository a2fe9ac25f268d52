"""The forward pass of an evaluation as CUDA graphs, with the sums of its firing rates in tensors that stay.

Shapes: T time steps, B batch, C channels, H height, W width, K classes.
"""

from contextlib import nullcontext
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from snnlab.errors import RunError
from snnlab.graphs.capture import Capture, Work
from snnlab.graphs.host_reads import HostReadError, NoHostReads
from snnlab.graphs.kept_state import traceless
from snnlab.graphs.neuron_calls import NeuronCalls
from snnlab.graphs.static_tensor import Layout, copy_in, empty, layout
from snnlab.graphs.tally import Tally
from snnlab.machine.device import autocast
from snnlab.metrics import FiringRate, Recorder

SIGNATURES = 2
"""Kinds of batches that get graphs: the usual one, and the last of a pass, which is smaller."""


class CapturedForward:
    """Runs a network in evaluation mode, as `snnlab.evaluate.forward.PlainForward` does, with equal results.

    The graphs stay from pass to pass; weights and statistics have to be changed in place.

    Args:
        model: the network.
        precision: of matrix products.
        capture: records it.
        tally: counts batches with graphs and without.
        required: whether it is an error to run a batch without a graph.
        rates: whether firing rates are measured.
    """

    def __init__(
        self,
        model: nn.Module,
        precision: str,
        capture: Capture,
        tally: Tally,
        *,
        required: bool = False,
        rates: bool = True,
    ) -> None:
        self._model, self._precision, self._capture = model, precision, capture
        self._tally, self._required, self._measures_rates = tally, required, rates
        self._recorded: dict[Layout, _StaticForward | str] = {}
        self._eager: dict[str, FiringRate] = {}

    def __enter__(self) -> Self:
        """Begins a pass: no batch has been counted."""
        self._eager = {}
        for one in self._static():
            one.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K], which the next call overwrites.

        Raises:
            RunError: the batch cannot be a graph, and that is required.
        """
        found = self._of(x_TBCHW)
        if not isinstance(found, str):
            self._tally.replays += 1
            return found.replay(x_TBCHW)
        if self._required:
            raise RunError(
                f"trainer.cuda_graph=required: an evaluation batch cannot run as a CUDA graph: {found}",
                "trainer.cuda_graph=auto runs it without, and counts it",
            )
        self._tally.eager[found] += 1
        logits_TBK, rates = self.once(x_TBCHW)
        _add(self._eager, rates)
        return logits_TBK

    def rates(self) -> dict[str, FiringRate]:
        """Returns the firing rate of each neuron layer in this pass."""
        assert self._measures_rates
        total = Recorder(self._model).recorded("rate")
        for one in (self._eager, *(static.rates() for static in self._static())):
            _add(total, one)
        return total

    def once(self, x_TBCHW: Tensor) -> tuple[Tensor, dict[str, FiringRate]]:
        """Returns the logits [T, B, K] of one batch, and its firing rates."""
        recorder = Recorder(self._model) if self._measures_rates else None
        precision = autocast(x_TBCHW.device, self._precision, cache=False)
        with recorder or nullcontext(), precision:
            logits_TBK: Tensor = self._model(x_TBCHW)
        return logits_TBK, {} if recorder is None else recorder.recorded("rate")

    def _static(self) -> list["_StaticForward"]:
        return [one for one in self._recorded.values() if isinstance(one, _StaticForward)]

    def _of(self, x_TBCHW: Tensor) -> "_StaticForward | str":
        key = layout(x_TBCHW)
        if key not in self._recorded:
            if len(self._static()) == SIGNATURES:
                return f"a third kind of batch, {list(x_TBCHW.shape)}"
            self._recorded[key] = self._made(x_TBCHW)
        return self._recorded[key]

    def _made(self, x_TBCHW: Tensor) -> "_StaticForward | str":
        try:
            with traceless(self._model):
                return _StaticForward(x_TBCHW, self, self._capture)
        except HostReadError as error:
            return str(error)
        except RuntimeError as error:
            lines = str(error).splitlines()
            return f"recording failed: {type(error).__name__}: {lines[0] if lines else 'without a word'}"


class _StaticForward:
    """The graph for batches of one layout, with its sums."""

    def __init__(self, like_TBCHW: Tensor, forward: CapturedForward, capture: Capture) -> None:
        self._x_TBCHW, self._calls = empty(like_TBCHW), NeuronCalls()
        copy_in(self._x_TBCHW, like_TBCHW)
        # Loads kernels before the work is looked at.
        self._calls.observe(lambda: forward.once(self._x_TBCHW))
        with NoHostReads(like_TBCHW.device):
            logits_TBK, rates = forward.once(self._x_TBCHW)
        self._logits_TBK = torch.empty_like(logits_TBK)
        sums = {layer: rate.sums() for layer, rate in rates.items()}
        self._fired = {layer: torch.zeros_like(one[0]) for layer, one in sums.items() if one is not None}
        self._outputs = {layer: one[1] for layer, one in sums.items() if one is not None}
        self._replays = 0

        def work() -> None:
            logits_TBK, rates = forward.once(self._x_TBCHW)
            self._logits_TBK.copy_(logits_TBK)
            for layer, fired_T in self._fired.items():
                found = rates[layer].sums()
                assert found is not None
                fired_T.add_(found[0])

        capture.warm_up(work)
        self._replay: Work = capture.record(work)
        self.reset()

    def reset(self) -> None:
        """Forgets the batches so far."""
        if self._fired:
            torch._foreach_zero_([*self._fired.values()])
        self._replays = 0

    def replay(self, x_TBCHW: Tensor) -> Tensor:
        copy_in(self._x_TBCHW, x_TBCHW)
        with self._calls.counted():
            self._replay()
        self._replays += 1
        return self._logits_TBK

    def rates(self) -> dict[str, FiringRate]:
        if self._replays == 0:
            return {}
        return {
            layer: FiringRate.of(fired_T.clone(), self._replays * self._outputs[layer])
            for layer, fired_T in self._fired.items()
        }


def _add(total: dict[str, FiringRate], more: dict[str, FiringRate]) -> None:
    for layer, rate in more.items():
        total.setdefault(layer, FiringRate()).merge(rate)
