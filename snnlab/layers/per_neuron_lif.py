"""Leaky integrate-and-fire neurons of which each has numbers of its own, in plain PyTorch.

Shape suffixes: T time steps, `...` any further axes.
"""

import torch
from torch import Tensor

from snnlab.neurons.base import Neuron
from snnlab.surrogates.base import Surrogate


class PerNeuronLIF(Neuron):
    """h_t = decay v_{t-1} + x_t, spikes where h_t >= threshold, then a reset to v_reset or by subtraction.

    Potentials are counted from the one at rest. The state is the potential v [...].

    Args:
        surrogate: gradient of the spike.
        decay, threshold, v_reset: numbers, or tensors that fit an input of one time step without its batch.
        soft_reset: true: subtract the threshold.
        detach_reset: true: no gradient through the spike in the reset.
    """

    decay: Tensor
    threshold: Tensor
    v_reset: Tensor

    def __init__(
        self,
        surrogate: Surrogate,
        decay: Tensor | float,
        threshold: Tensor | float,
        v_reset: Tensor | float,
        *,
        soft_reset: bool,
        detach_reset: bool,
    ) -> None:
        super().__init__()
        self.surrogate = surrogate
        for name, value in (("decay", decay), ("threshold", threshold), ("v_reset", v_reset)):
            self.register_buffer(name, torch.as_tensor(value), persistent=False)
        self.soft_reset, self.detach_reset = soft_reset, detach_reset

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns spikes [T, ...] and the potential after the last step."""
        v = self.initial_state(x_T[0]) if state is None else state
        decay, threshold, v_reset = (one.to(v.dtype) for one in (self.decay, self.threshold, self.v_reset))
        spikes_T = []
        for x in x_T.to(v.dtype).unbind(0):
            h = decay * v + x
            s = self.surrogate(h - threshold)
            r = s.detach() if self.detach_reset else s
            v = h - threshold * r if self.soft_reset else h * (1 - r) + v_reset * r
            spikes_T.append(s.to(x_T.dtype))
        return torch.stack(spikes_T), v

    def initial_state(self, x: Tensor) -> Tensor:
        """Returns 0, the potential at rest: [...]."""
        return torch.zeros(x.shape, device=x.device, dtype=torch.promote_types(x.dtype, torch.float32))
