"""What follows the gradients of a step, as a CUDA graph of its own where it can be."""

from collections.abc import Callable

import torch
from torch import nn

from snnlab.graphs.capture import Capture, Work
from snnlab.graphs.host_reads import NoHostReads
from snnlab.graphs.tally import Tally
from snnlab.train.static_gradients import StaticGradients

FIRST = "sets up the optimiser's state"
SECOND = "is looked at before it is recorded"
KINDS = 4
"""Kinds of updates that get graphs: sets of parameters that have gradients, and settings of the optimiser."""

Kind = tuple[object, ...]


class CapturedUpdate:
    """Runs the update twice as it is, which sets up the optimiser's state, and then records and replays it.

    It is recorded for each kind: another set of parameters with gradients, or other settings than learning rates.

    Args:
        update: clips gradients, steps the optimiser and averages weights; takes no learning rate as a number.
        optimizer: its groups' settings are part of a kind.
        gradients: the memory of the graphs' gradients.
        capture: records it.
        refused: the reason why nothing is recorded, or None.

    Attributes:
        tally: how often it was a graph's.
    """

    def __init__(
        self,
        update: Callable[[], None],
        optimizer: torch.optim.Optimizer,
        gradients: StaticGradients,
        capture: Capture,
        refused: str | None = None,
    ) -> None:
        self._update, self._optimizer, self._gradients = update, optimizer, gradients
        self._capture, self._refused = capture, refused
        self._parameters: list[nn.Parameter] = [
            one for group in optimizer.param_groups for one in group["params"]
        ]
        self._of_kind: dict[Kind, Work | str] = {}
        self.tally = Tally()

    def __call__(self) -> None:
        """Updates the weights by their gradients."""
        found = self._found()
        if not isinstance(found, str):
            self.tally.replays += 1
            found()
            return
        self.tally.eager[found] += 1
        if found != SECOND:
            self._update()
            return
        with NoHostReads(self._parameters[0].device, raises=False) as watch:
            self._update()
        self._of_kind[self._kind()] = watch.faults[0] if watch.faults else self._recorded()

    def forget(self) -> None:
        """Drops the graphs, whose memory of the optimiser's state is no longer that state."""
        self._of_kind.clear()

    def _found(self) -> Work | str:
        """The graph for this update, or the reason why there is none."""
        if self._refused is not None:
            return self._refused
        if not self._gradients.hold():
            return "the gradients are those of a batch without a graph"
        kind = self._kind()
        if kind not in self._of_kind:
            if len(self._of_kind) == KINDS:
                return f"another kind of update after {KINDS}"
            self._of_kind[kind] = SECOND
            return FIRST
        return self._of_kind[kind]

    def _recorded(self) -> Work | str:
        try:
            return self._capture.record(self._update)
        except RuntimeError as error:
            lines = str(error).splitlines()
            return f"recording failed: {type(error).__name__}: {lines[0] if lines else 'without a word'}"

    def _kind(self) -> Kind:
        plain = (int, float, bool, str, tuple, type(None))
        settings = [
            value
            for group in self._optimizer.param_groups
            for name, value in group.items()
            if name != "lr" and isinstance(value, plain)
        ]
        return (*settings, *(parameter.grad is not None for parameter in self._parameters))
