"""The neuron of DIET-SNN, whose leak and threshold are learned."""

import torch
from torch import Tensor, nn

from snnlab.kernels.contract import Dynamics
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.ranges import Positive
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.triangle import Triangle


class DIETSNN(MembraneNeuron):
    """Leaky integrate-and-fire neuron with a learned leak and a learned threshold, one of each per layer.

    u_t = leak u_{t-1} + x_t - theta s_{t-1},  z_t = u_t / theta - 1,  s_t = 1 if z_t >= 0 else 0

    and in the backward pass ds/dz = g(z), g the surrogate; the reset has a gradient with respect to theta, and none
    through the spike (Rathi and Roy, "DIET-SNN", arXiv:2008.03658, Eq. 1 and 2, and its released code). It is
    computed with h = u / theta, the potential in units of the threshold:

    h_t = leak h_{t-1} + x_t / theta - s_{t-1},  s_t = 1 if h_t >= 1 else 0

    so the state and the potentials that are watched are h, before the reset, and penalties see a threshold of 1.
    In the released code a layer fires one step later, from the potential before the step's input; here at once, as
    the other neurons. The default surrogate is that of the code, g(z) = 0.3 max(0, 1 - |z|).

    Args:
        surrogate: gradient of the spike with respect to z; None: `Triangle(height=0.3)`.
        threshold: theta before training; 1 in the released code.
        leak: factor of the potential from one step to the next, before training; 1 in the released code: no leak.
    """

    def __init__(
        self, surrogate: Surrogate | None = None, *, threshold: Positive = 1.0, leak: Positive = 1.0
    ) -> None:
        super().__init__(Triangle(height=0.3) if surrogate is None else surrogate)
        self.theta = nn.Parameter(torch.tensor(float(threshold)))
        self.leak = nn.Parameter(torch.tensor(float(leak)))

    @property
    def thresholds(self) -> tuple[float, float]:
        return 1.0, 1.0

    def quantities(self) -> dict[str, Tensor]:
        return super().quantities() | {"threshold": self.theta}

    def current_decay(self) -> Tensor:
        return self.leak

    def dynamics_of_call(self) -> Dynamics:
        return _LATE

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        wide = torch.promote_types(x_T.dtype, torch.float32)
        spikes_T, state = super().forward_with_state(x_T.to(wide) / self.theta, state)
        return spikes_T.to(x_T.dtype), state

    def extra_repr(self) -> str:
        return "one leak and one threshold, learned"


class _LateReset(Dynamics):
    """The equations of a step whose state is the potential before the reset, which is part of the next charge."""

    def charge(self, x: Tensor, v: Tensor, decay: Tensor | float, out: Tensor | None = None) -> Tensor:
        return torch.mul(v, decay, out=out).add_(x).sub_(v.detach().ge(self.threshold).to(v.dtype))

    def reset(self, h: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
        return h.clone() if out is None else out.copy_(h)

    def adjoint(
        self, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor, surrogate: Surrogate, scratch: Tensor
    ) -> Tensor:
        return grad_v.addcmul_(grad_s, self.slope(h, t, surrogate))


_LATE = _LateReset(threshold=1.0, v_reset=0.0, soft_reset=True, detach_reset=True, decay_input=False)
