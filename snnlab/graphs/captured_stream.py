"""One step of a network that runs step by step, as CUDA graphs with states in tensors that stay.

Shapes: B samples, C channels, H height, W width, K classes.
"""

from collections.abc import Hashable

import torch
from torch import Tensor, nn

from snnlab.errors import RunError
from snnlab.graphs.capture import Capture, Work
from snnlab.graphs.host_reads import HostReadError, NoHostReads
from snnlab.graphs.kept_state import traceless
from snnlab.graphs.neuron_calls import NeuronCalls
from snnlab.graphs.static_tensor import Layout, copy_in, empty, layout
from snnlab.graphs.tally import Tally
from snnlab.layers.streaming import Streaming

SIGNATURES = 16
"""Sizes of batches that get graphs: halves of the usual one, and of the last of a pass, which is smaller."""


class CapturedStreaming(Streaming):
    """`Streaming` on a GPU, whose calls with one step are replayed, with equal results.

    Each size of batch has a graph for the first step and one for all later ones, or one for each step if a neuron holds
    something for each. The graphs stay from one `with` block to the next; weights have to be changed in place. Calls
    with gradients, of too many sizes, and of several steps at once run without a graph.

    Args:
        model: maps x_TBCHW to logits [T, B, K].
        capture: records the steps.
        tally: counts steps with graphs and without; None: a new one.
        required: whether it is an error to run a step without a graph.

    Attributes:
        tally: how many steps were a graph's.

    Raises:
        ValueError: as in `Streaming`.
    """

    def __init__(
        self, model: nn.Module, capture: Capture, tally: Tally | None = None, *, required: bool = False
    ) -> None:
        super().__init__(model)
        self._capture, self._required = capture, required
        self._counts_steps = any(getattr(one, "num_steps", None) is not None for one in self._neurons)
        self._recorded: dict[Layout, _StaticStep | str] = {}
        self.tally = Tally() if tally is None else tally

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        """Returns the logits [B, K] of the next step.

        Raises:
            RunError: the step cannot be a graph, and that is required.
        """
        found = "gradients are wanted" if torch.is_grad_enabled() else self._of(x_BCHW)
        if isinstance(found, str):
            if self._required:
                raise RunError(
                    f"trainer.cuda_graph=required: a step cannot run as a CUDA graph: {found}",
                    "trainer.cuda_graph=auto runs it without, and counts it",
                )
            self.tally.eager[found] += 1
            return super().__call__(x_BCHW)
        self.tally.replays += 1
        return found.replay(x_BCHW)

    def size_for(self, count: int, batch: int) -> int:
        """Returns the batch, or its smallest half of halves that holds `count`, so that few sizes need graphs."""
        while batch // 2 >= count:
            batch //= 2
        return batch

    def plainly(self, x_BCHW: Tensor) -> Tensor:
        """Returns the logits [B, K] of the next step, without a graph; keeps no weights in 16 bits for another step."""
        kind = x_BCHW.device.type
        enabled, dtype = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
        with torch.autocast(kind, dtype, enabled, cache_enabled=False):
            return super().__call__(x_BCHW)

    def _of(self, x_BCHW: Tensor) -> "_StaticStep | str":
        kind = x_BCHW.device.type
        precision = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind)
        batch = (*layout(x_BCHW), precision)
        key = (*batch, self._past())
        if key not in self._recorded:
            there = {one[:-1] for one, made in self._recorded.items() if not isinstance(made, str)}
            if batch not in there and len(there) == SIGNATURES:
                return f"another kind of batch after {SIGNATURES}, {list(x_BCHW.shape)}"
            self._recorded[key] = self._made(x_BCHW)
        return self._recorded[key]

    def _past(self) -> Hashable:
        """What of the past a graph depends on: whether there is one, or the number of steps where it matters."""
        return tuple(one.steps for one in self._states) if self._counts_steps else bool(self._states)

    def _made(self, x_BCHW: Tensor) -> "_StaticStep | str":
        states = [one._replace(state=one.state.clone()) for one in self._states]
        try:
            with traceless(self._model):
                return _StaticStep(x_BCHW, self, self._capture)
        except HostReadError as error:
            return str(error)
        except RuntimeError as error:
            lines = str(error).splitlines()
            return f"recording failed: {type(error).__name__}: {lines[0] if lines else 'without a word'}"
        finally:
            self._states = states


class _StaticStep:
    """The graph of a step for one kind of batch, either the first or a later one."""

    def __init__(self, x_BCHW: Tensor, stream: CapturedStreaming, capture: Capture) -> None:
        self._stream, self._calls = stream, NeuronCalls()
        self._x_BCHW = empty(x_BCHW)
        copy_in(self._x_BCHW, x_BCHW)
        self._before = [one._replace(state=one.state.clone()) for one in stream._states]
        found: list[Tensor] = []

        def step() -> None:
            stream._states = list(self._before)
            found[:] = [stream.plainly(self._x_BCHW)]

        self._calls.observe(step)  # loads kernels before the step is looked at
        with NoHostReads(x_BCHW.device):
            step()
        self._logits_BK = torch.empty_like(found[0])
        self._after = [one._replace(state=torch.empty_like(one.state)) for one in stream._states]

        def work() -> None:
            step()
            self._logits_BK.copy_(found[0])
            for kept, found_state in zip(self._after, stream._states, strict=True):
                kept.state.copy_(found_state.state)

        capture.warm_up(work)
        self._replay: Work = capture.record(work)

    def replay(self, x_BCHW: Tensor) -> Tensor:
        copy_in(self._x_BCHW, x_BCHW)
        # A later step may have any number of steps behind it, the recorded one had its own.
        past = [one.steps for one in self._stream._states] or [0] * len(self._after)
        for kept, given in zip(self._before, self._stream._states, strict=True):
            kept.state.copy_(given.state)
        with self._calls.counted():
            self._replay()
        self._stream._states = [
            after._replace(steps=steps + 1) for after, steps in zip(self._after, past, strict=True)
        ]
        return self._logits_BK.clone()
