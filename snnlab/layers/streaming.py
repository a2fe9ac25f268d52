"""Runs a whole network one time step at a time, and can drop samples from the batch between steps.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

from torch import Tensor, nn

from snnlab.layers.per_step import is_per_step
from snnlab.neurons.base import Neuron
from snnlab.neurons.base_membrane import MembraneNeuron


class State(NamedTuple):
    """The state of a neuron after some steps, with its batch axis."""

    axis: int | None
    state: Tensor
    steps: int


class Streaming:
    """Runs a network step by step: inside its `with` block, neurons keep their state from call to call.

        with Streaming(model) as stream:
            for x_BCHW in x_TBCHW:
                logits_BK = stream(x_BCHW)      # logits of this step
                stream.keep(unfinished_B)       # optional: continue with some samples only

    Inside the block the network itself can also be called, with several steps at once: model(x_TBCHW[:3]).
    There every neuron's forward pass continues from the state of its last call; outside, neurons are stateless.
    States are identified by the order of the calls within a step, so a neuron layer that is used at several places
    has several states. Evaluation mode is expected, in which no other layer depends on more than one step or sample.

    Args:
        model: maps x_TBCHW to logits [T, B, K].

    Raises:
        ValueError: a layer says `per_step = True`: it treats time steps differently, but would not know the
            number of the current step.
    """

    def __init__(self, model: nn.Module) -> None:
        for name, module in model.named_modules():
            if is_per_step(module):
                raise ValueError(
                    f"{name} ({type(module).__name__}) has parameters for each time step: "
                    "the network cannot run one step at a time"
                )
        self._model = model
        self._neurons = [module for module in model.modules() if isinstance(module, Neuron)]
        self._states: list[State] = []
        self._call = 0

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        """Returns the logits [B, K] of the next step."""
        logits_1BK: Tensor = self._model(x_BCHW.unsqueeze(0))
        return logits_1BK.squeeze(0)

    def size_for(self, count: int, batch: int) -> int:
        """Returns how many samples of a batch to continue with for `count` of them: these, or more where that pays."""
        return count

    def keep(self, kept: Tensor) -> None:
        """Continues with some samples of the batch only.

        Args:
            kept: their indices, or a mask [B].
        """
        self._states = [
            one
            if one.axis is None
            else one._replace(state=one.state.movedim(one.axis, 0)[kept].movedim(0, one.axis))
            for one in self._states
        ]

    def __enter__(self) -> Self:
        self._hook = self._model.register_forward_pre_hook(self._begin)
        for neuron in self._neurons:
            neuron.forward = self._continuing(neuron)  # type: ignore[assignment, method-assign]  # of this instance
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hook.remove()
        for neuron in self._neurons:
            del neuron.forward
        self._states.clear()

    def _begin(self, *_: object) -> None:
        self._call = 0

    def _continuing(self, neuron: Neuron) -> Callable[[Tensor], Tensor]:
        def forward(x_T: Tensor) -> Tensor:
            if self._call == len(self._states):
                spikes_T, state = neuron.forward_with_state(x_T)
                self._states.append(State(neuron.batch_axis, state, len(x_T)))
            else:
                before = self._states[self._call]
                with _knowing(neuron, before.steps):
                    spikes_T, state = neuron.forward_with_state(x_T, before.state)
                self._states[self._call] = State(neuron.batch_axis, state, before.steps + len(x_T))
            self._call += 1
            return spikes_T

        return forward


@contextmanager
def _knowing(neuron: Neuron, steps: int) -> Iterator[None]:
    """Tells a neuron the number of past steps, which it would read from its state on the device."""
    if not isinstance(neuron, MembraneNeuron):
        yield
        return
    neuron.past_steps = steps
    try:
        yield
    finally:
        del neuron.past_steps
