"""The leaky integrate-and-fire neuron."""

from typing import Literal

import torch
from torch import Tensor

from snnlab.neurons._neuron import Neuron
from snnlab.neurons._recurrence import Dynamics, integrate_and_fire
from snnlab.ranges import HalfOpenFraction, Positive
from snnlab.surrogates._surrogate import Surrogate
from snnlab.surrogates.triangle import Triangle


class LIF(Neuron):
    """Leaky integrate-and-fire neuron with a fixed leak.

    h_t = decay (v_{t-1} - v_reset) + v_reset + x_t       (decay_input: x_t times 1 - decay)
    s_t = 1 if h_t >= threshold else 0
    v_t = v_reset where s_t = 1, else h_t                 (reset hard)
    v_t = h_t - threshold s_t                             (reset soft)

    The defaults are the neuron of TET and TMC (released code; that one fires on strictly greater, which differs only
    at exact equality). `tau=2, decay_input=True, detach_reset=True` is Spikformer's.

    Args:
        surrogate: gradient of the spike; None: `Triangle()`.
        decay: part of the potential that survives a step.
        tau: membrane time constant in steps, at least 1, instead of decay: decay = 1 - 1 / tau.
        decay_input: scale the input by 1 - decay, as in v + (x - (v - v_reset)) / tau.
        reset: "hard" to v_reset, or "soft" by subtracting the threshold.
        v_reset: potential after a hard reset, and the one that the leak pulls to.
        detach_reset: no gradient through the spike in the reset.
        threshold: potential from which on it fires.
        v_init: potential before the first step.

    Raises:
        ValueError: both decay and tau are given, or tau is below 1.
    """

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        *,
        decay: HalfOpenFraction = 0.5,
        tau: Positive | None = None,
        decay_input: bool = False,
        reset: Literal["hard", "soft"] = "hard",
        v_reset: float = 0.0,
        detach_reset: bool = False,
        threshold: Positive = 1.0,
        v_init: float = 0.0,
    ) -> None:
        super().__init__()
        if tau is not None:
            if decay != 0.5:
                raise ValueError(
                    f"give decay or tau, not both (decay={decay:g}, tau={tau:g}): decay = 1 - 1 / tau"
                )
            if tau < 1:
                raise ValueError(
                    f"tau must be at least 1 step, not {tau:g}: decay = 1 - 1 / tau would be negative"
                )
            decay = 1 - 1 / tau
        self.surrogate = Triangle() if surrogate is None else surrogate
        self.decay = decay
        self.v_init = v_init
        self.dynamics = Dynamics(threshold, v_reset, reset == "soft", detach_reset, decay_input)

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        v = self.initial_state(x_T[0]) if state is None else state
        return integrate_and_fire(x_T, v, self.decay, self.dynamics, self.surrogate)

    def initial_state(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.v_init, dtype=torch.promote_types(x.dtype, torch.float32))

    def extra_repr(self) -> str:
        return f"decay={self.decay:g}, v_init={self.v_init:g}, {self.dynamics}"
