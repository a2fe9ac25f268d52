"""The leaky integrate-and-fire neuron with a learned leak."""

from math import log
from typing import Literal

import torch
from torch import Tensor, nn

from snnlab.kernels.contract import Dynamics, is_soft
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.ranges import OpenFraction, Positive
from snnlab.surrogates.base import Surrogate


class PLIF(IntegrateAndFire):
    """Leaky integrate-and-fire neuron with a learned leak, one scalar per layer.

    decay = sigmoid(w), w learned; the other equations are those of `lif`:

    h_t = decay (v_{t-1} - v_reset) + v_reset + x_t       (decay_input: x_t times 1 - decay)
    s_t = 1 if h_t >= threshold else 0
    v_t = v_reset where s_t = 1, else h_t                 (reset hard)
    v_t = h_t - threshold s_t                             (reset soft)

    for x_T [T, ...]. Fang et al. 2021, "Incorporating learnable membrane time constant", learn 1 / tau =
    sigmoid(w') with decay_input=True and an initial decay of 1/2, which is this neuron with w = -w'. DS-ATGO has an
    initial decay of 0.2, without decay_input.

    Args:
        surrogate: gradient of the spike; None: `Triangle()`.
        init_decay: factor of the potential from one step to the next, before training.
        decay_input: true: scale the input by 1 - decay, as in v + (x - (v - v_reset)) / tau.
        reset: hard (to v_reset) | soft (subtract the threshold).
        v_reset: potential after a hard reset, to which the membrane potential decays.
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
        init_decay: OpenFraction = 0.5,
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
        self.w = nn.Parameter(torch.tensor(log(init_decay / (1 - init_decay))))

    def current_decay(self) -> Tensor:
        return self.w.sigmoid()
