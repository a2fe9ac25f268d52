"""The common base of neurons with one membrane potential: the state, the step count, observing the potentials.

Shape suffixes: T time steps, `...` any further axes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from snnlab.kernels.contract import Call, Dynamics, Measure
from snnlab.kernels.functional import integrate_and_fire
from snnlab.kernels.plans import Plans
from snnlab.neurons.base import Neuron
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.triangle import Triangle


class MembraneNeuron(Neuron):
    """Base class of neurons with one membrane potential; a subclass defines decay, firing and reset.

    The state is the potential [...]. If the neuron or the surrogate has parameters for each time step, it is
    [2, ...]: the potential, and the number of past steps. Reading that number synchronises with the device, unless the
    caller knows it (`past_steps`).

    Attributes:
        thresholds: magnitudes of the first positive and the first negative threshold; a neuron without negative
            spikes repeats its threshold.
        measure: function of the potentials before reset h_T [T, ...] of each call, see `watch_potentials`.
        measured: receives the results of `measure`.
        past_steps: number of steps that are past in the state of the next calls; None: it is read from the state.
    """

    past_steps: int | None = None
    measure: Measure | None = None
    measured: Callable[[Tensor | None], object] | None = None

    def __init__(self, surrogate: Surrogate | None, v_init: float = 0.0) -> None:
        super().__init__()
        if not isinstance(surrogate, Surrogate | None):
            raise TypeError(
                f"surrogate: expected an object such as Triangle(), got {surrogate!r}; "
                "settings are given by name, as in LIF(decay=0.9)"
            )
        self.surrogate = Triangle() if surrogate is None else surrogate
        self.v_init = v_init
        self._plans = Plans()
        # Never dropped, since a captured CUDA graph reads from its memory.
        self._rests = Plans()

    @property
    def thresholds(self) -> tuple[float, float]:
        raise NotImplementedError

    def firing_thresholds(self, t: int) -> list[float]:
        """Returns the potentials at which the output of step t (from 0) changes in evaluation mode, ascending."""
        return [self.thresholds[0]]

    def quantities(self) -> dict[str, Tensor]:
        decay = self.current_decay()
        learned = {"decay": decay} if isinstance(decay, Tensor) else {}
        return learned | self.surrogate.quantities()

    @property
    def num_steps(self) -> int | None:
        """The number of time steps with parameters of their own; None if all steps are alike."""
        return self.surrogate.num_steps

    @property
    def batch_axis(self) -> int:
        return 0 if self.num_steps is None else 1

    def current_decay(self) -> Tensor | float:
        """Returns the factor of the potential from one step to the next: a number, or a learned scalar tensor []."""
        raise NotImplementedError

    def dynamics_of_call(self) -> Dynamics:
        """Returns the equations of a time step for one call."""
        raise NotImplementedError

    def forward(self, x_T: Tensor, state: Tensor | None = None) -> Tensor:
        if type(self).forward_with_state is not MembraneNeuron.forward_with_state:
            return super().forward(x_T, state)
        return self._run(x_T, state, keep_state=False)[0]

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        spikes_T, v, end = self._run(x_T, state, keep_state=True)
        return spikes_T, self._state(v, end)

    def _run(self, x_T: Tensor, state: Tensor | None, keep_state: bool) -> tuple[Tensor, Tensor, int]:
        """Returns spikes, the last potential (undefined without keep_state), and the number of the last step."""
        start, num_steps = 0, self.num_steps
        if state is None:
            # A state that is handed on may be changed in place, so it must not be the shared one.
            v = self._rest(x_T[0]) if keep_state else self.rest(x_T)
        elif num_steps is None:
            v = state
        else:
            v = state[0]
            past = self.past_steps
            start = max(0, round(state[1].flatten()[0].item())) if past is None else past
        end = start + len(x_T)
        if num_steps is not None and end > num_steps:
            raise ValueError(
                f"{type(self).__name__} with {type(self.surrogate).__name__} holds something for each of "
                f"{num_steps} time steps, so it cannot run {end}: train with more steps"
            )
        spikes_T, v, measured = integrate_and_fire(self.call_of(x_T, v, start, keep_state))
        if self.measured is not None:
            self.measured(measured)
        return spikes_T, v, end

    def call_of(self, x_T: Tensor, v: Tensor, start: int, keep_state: bool) -> Call:
        """Returns the call of the recurrence for input currents x_T [T, ...] and a potential v [...]."""
        return Call(
            x_T,
            v,
            self.current_decay(),
            self.dynamics_of_call(),
            self.surrogate,
            start,
            self.measure,
            keep_state,
            self._plans,
        )

    def initial_state(self, x: Tensor) -> Tensor:
        return self._state(self._rest(x).contiguous(), 0)

    def rest(self, x_T: Tensor) -> Tensor:
        """Returns the potential before the first step [...] for x_T [T, ...], to be read only; calls share it."""
        if type(x_T) is not Tensor or torch.compiler.is_compiling():
            return self._rest(x_T[0])
        key = self.v_init, x_T.dtype, x_T.device
        v = self._rests.get(key)
        if v is None:
            with torch.inference_mode(
                False
            ):  # a tensor of inference mode could not be kept for a backward pass
                v = self._rest_number(x_T)
            # What is written while a CUDA graph is captured has no value before the graph is replayed.
            if type(v) is Tensor and not (x_T.is_cuda and torch.cuda.is_current_stream_capturing()):
                self._rests[key] = v
        return v.expand(x_T.shape[1:])

    def _rest(self, x: Tensor) -> Tensor:
        # One expanded number, which kernels need not read from memory.
        return self._rest_number(x).expand(x.shape)

    def _rest_number(self, x: Tensor) -> Tensor:
        dtype = torch.promote_types(x.dtype, torch.float32)
        return torch.full((), self.v_init, dtype=dtype, device=x.device)

    def _state(self, v: Tensor, steps: int) -> Tensor:
        return v if self.num_steps is None else torch.stack([v, torch.full_like(v, steps)])


@contextmanager
def watch_potentials(
    model: nn.Module, measure: Callable[[MembraneNeuron, Tensor], Tensor | None]
) -> Iterator[dict[str, list[Tensor | None]]]:
    """Measures the membrane potentials of every neuron layer, before reset, inside a `with` block.

        with watch_potentials(model, lambda neuron, h_T: h_T.square().mean()) as measured:
            logits_TBK = model(x_TBCHW)
        loss = loss + sum(scalar for scalars in measured.values() for scalar in scalars)

    `measure` receives the layer and its potentials before reset h_T [T, ...] in float32, once for each call of the
    layer, and returns a scalar with a gradient or None. Potentials are not saved: the backward pass recomputes
    them in any case, and calls `measure` again to differentiate it, one layer at a time. A `measure` that only
    observes returns None and is called once. Nothing is computed outside the block.

    Yields the scalars of each layer, one for each call, by the layer's name in `model.named_modules()`.

    Raises:
        ValueError: the model has no neuron with a membrane potential, or its potentials are already watched.
    """
    neurons = {name: module for name, module in model.named_modules() if isinstance(module, MembraneNeuron)}
    if not neurons:
        raise ValueError(f"no neuron of {type(model).__name__} has a membrane potential to look at")
    if any(neuron.measure is not None for neuron in neurons.values()):
        raise ValueError("the membrane potentials are watched already: leave that block first")
    found: dict[str, list[Tensor | None]] = {name: [] for name in neurons}
    try:
        for name, neuron in neurons.items():
            neuron.measure = _of(neuron, measure)
            neuron.measured = found[name].append
        yield found
    finally:
        for neuron in neurons.values():
            del neuron.measure, neuron.measured


def _of(neuron: MembraneNeuron, measure: Callable[[MembraneNeuron, Tensor], Tensor | None]) -> Measure:
    return lambda h_T: measure(neuron, h_T)
