"""The leaky integrate-and-fire neuron with a fixed leak."""

from typing import Literal

from snnlab.kernels.contract import Dynamics, is_soft
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.ranges import AtLeastOne, Default, HalfOpenFraction, Positive
from snnlab.surrogates.base import Surrogate


class LIF(IntegrateAndFire):
    """Leaky integrate-and-fire neuron with a fixed leak.

    h_t = decay (v_{t-1} - v_reset) + v_reset + x_t       (decay_input: x_t times 1 - decay)
    s_t = 1 if h_t >= threshold else 0
    v_t = v_reset where s_t = 1, else h_t                 (reset hard)
    v_t = h_t - threshold s_t                             (reset soft)

    for x_T [T, ...]. The defaults are the neuron in the code of TET and TMC (which fires on strictly greater; the
    two differ only at exact equality). `tau=2, decay_input=True, detach_reset=True` is Spikformer's.

    Args:
        surrogate: gradient of the spike; None: `Triangle()`.
        decay: factor of the potential from one step to the next.
        tau: membrane time constant in steps, instead of decay: decay = 1 - 1 / tau.
        decay_input: true: scale the input by 1 - decay, as in v + (x - (v - v_reset)) / tau.
        reset: hard (to v_reset) | soft (subtract the threshold).
        v_reset: potential after a hard reset, to which the membrane potential decays.
        detach_reset: true: no gradient through the spike in the reset.
        threshold: firing threshold of the membrane potential.
        v_init: potential before the first step.

    Raises:
        ValueError: both decay and tau are given, or a value is out of range.
    """

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        *,
        decay: HalfOpenFraction = Default(0.5),
        tau: AtLeastOne | None = None,
        decay_input: bool = False,
        reset: Literal["hard", "soft"] = "hard",
        v_reset: float = 0.0,
        detach_reset: bool = False,
        threshold: Positive = 1.0,
        v_init: float = 0.0,
    ) -> None:
        super().__init__(
            surrogate, Dynamics(threshold, v_reset, is_soft(reset), detach_reset, decay_input), v_init
        )
        if tau is not None:
            if not isinstance(decay, Default):
                raise ValueError(f"give decay ({decay:g}) or tau ({tau:g}), not both: decay = 1 - 1 / tau")
            if tau < 1:
                raise ValueError(f"tau is {tau:g}, but must be at least 1 time step: decay = 1 - 1 / tau")
            decay = 1 - 1 / tau
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay:g}, but must be at least 0 and below 1")
        self.decay = float(decay)

    def current_decay(self) -> float:
        return self.decay

    def extra_repr(self) -> str:
        return f"decay={self.decay:g}, {super().extra_repr()}"
