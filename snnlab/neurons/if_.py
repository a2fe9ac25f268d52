"""The integrate-and-fire neuron, which has no leak."""

from typing import Literal

from snnlab.kernels.contract import Dynamics, is_soft
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate


class IF(IntegrateAndFire):
    """Integrate-and-fire neuron without a leak, the neuron of ANN-to-SNN conversion.

    h_t = v_{t-1} + x_t
    s_t = 1 if h_t >= threshold else 0
    v_t = v_reset where s_t = 1, else h_t                 (reset hard)
    v_t = h_t - threshold s_t                             (reset soft)

    for x_T [T, ...]. Conversion uses `reset="soft"` and `v_init` = threshold / 2 (Bu et al. 2022, QCFS).

    Args:
        surrogate: gradient of the spike; None: `Triangle()`.
        reset: hard (to v_reset) | soft (subtract the threshold).
        v_reset: potential after a hard reset.
        detach_reset: true: no gradient through the spike in the reset.
        threshold: firing threshold of the membrane potential.
        v_init: potential before the first step.

    Raises:
        ValueError: there is no such reset.
    """

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        *,
        reset: Literal["hard", "soft"] = "hard",
        v_reset: float = 0.0,
        detach_reset: bool = False,
        threshold: Positive = 1.0,
        v_init: float = 0.0,
    ) -> None:
        super().__init__(surrogate, Dynamics(threshold, v_reset, is_soft(reset), detach_reset, False), v_init)

    def current_decay(self) -> float:
        return 1.0
