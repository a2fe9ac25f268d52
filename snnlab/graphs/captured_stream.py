"""One step of a network that runs step by step, as CUDA graphs with states in tensors that stay.

Shapes: B samples, C channels, H height, W width, K classes.
"""

import torch
from torch import Tensor, nn

from snnlab.graphs.capture import Capture, Work
from snnlab.graphs.host_reads import HostReadError, NoHostReads
from snnlab.graphs.kept_state import traceless
from snnlab.graphs.neuron_calls import NeuronCalls
from snnlab.graphs.static_tensor import Layout, copy_in, empty, layout
from snnlab.graphs.tally import Tally
from snnlab.layers.streaming import Streaming

SIGNATURES = 2
"""Sizes of batches that get graphs, each with one for the first step and one for all later ones."""


class CapturedStreaming(Streaming):
    """`Streaming` on a GPU, whose calls with one step are replayed, with equal results.

    The graphs stay from one `with` block to the next; weights have to be changed in place. Calls with gradients, of
    a third size of batch, and of several steps at once run without a graph.

    Args:
        model: maps x_TBCHW to logits [T, B, K].
        capture: records the steps.

    Attributes:
        tally: how many steps were a graph's.

    Raises:
        ValueError: as in `Streaming`.
    """

    def __init__(self, model: nn.Module, capture: Capture) -> None:
        super().__init__(model)
        self._capture = capture
        self._recorded: dict[Layout, _StaticStep | str] = {}
        self.tally = Tally()

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        """Returns the logits [B, K] of the next step."""
        found = "gradients are wanted" if torch.is_grad_enabled() else self._of(x_BCHW)
        if isinstance(found, str):
            self.tally.eager[found] += 1
            return super().__call__(x_BCHW)
        self.tally.replays += 1
        return found.replay(x_BCHW)

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
        key = (*batch, bool(self._states))
        if key not in self._recorded:
            there = {one[:-1] for one, made in self._recorded.items() if not isinstance(made, str)}
            if batch not in there and len(there) == SIGNATURES:
                return f"a third kind of batch, {list(x_BCHW.shape)}"
            self._recorded[key] = self._made(x_BCHW)
        return self._recorded[key]

    def _made(self, x_BCHW: Tensor) -> "_StaticStep | str":
        states = [(axis, state.clone()) for axis, state in self._states]
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
        self._before = [(axis, state.clone()) for axis, state in stream._states]
        found: list[Tensor] = []

        def step() -> None:
            stream._states = list(self._before)
            found[:] = [stream.plainly(self._x_BCHW)]

        self._calls.observe(step)  # loads kernels before the step is looked at
        with NoHostReads(x_BCHW.device):
            step()
        self._logits_BK = torch.empty_like(found[0])
        self._after = [(axis, torch.empty_like(state)) for axis, state in stream._states]

        def work() -> None:
            step()
            self._logits_BK.copy_(found[0])
            for (_, kept), (_, state) in zip(self._after, stream._states, strict=True):
                kept.copy_(state)

        capture.warm_up(work)
        self._replay: Work = capture.record(work)

    def replay(self, x_BCHW: Tensor) -> Tensor:
        copy_in(self._x_BCHW, x_BCHW)
        for (_, kept), (_, state) in zip(self._before, self._stream._states, strict=True):
            kept.copy_(state)
        with self._calls.counted():
            self._replay()
        self._stream._states = list(self._after)
        return self._logits_BK.clone()
