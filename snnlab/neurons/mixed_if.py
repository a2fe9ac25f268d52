"""The integrate-and-fire neuron of converted networks, which runs for a number of time steps of its own."""

from typing import Literal

import torch
from torch import Tensor

from snnlab.kernels.contract import Dynamics
from snnlab.neurons.base_integrate_and_fire import IntegrateAndFire
from snnlab.ranges import PositiveInt
from snnlab.surrogates.base import Surrogate
from snnlab.time_axis import average, nearest


class MixedIF(IntegrateAndFire):
    """Soft-reset integrate-and-fire neuron with T time steps of its own, and alignment of its input to them.

    u_t = v_{t-1} + q_t,   v_0 = theta / 2
    s_t = 1 if u_t >= theta else 0
    v_t = u_t - theta s_t

    for t = 1..T (mixed-timestep paper, Eq. 1 to 3), with output theta s_t, so that weights need no rescaling. T and
    theta are not configured but stored with the weights: `snnlab convert` takes them from a trained `quant_relu`
    (T its levels, theta its gamma). Its input currents may come from layers with other numbers of time steps; at a
    residual addition, both operands are aligned before they are added.

    Under a constant current q the number of spikes up to step t is N_t = clip(floor(1/2 + t q / theta); 0, t), so no
    loop over time is needed. N_T theta / T is the output of `quant_relu` (Theorem 1), so a network in which every
    input is averaged computes the logits of its ANN up to rounding. Between two layers of equal T that are not
    averaged (`equal="keep"`), the order of the spikes matters, and N_T may be off by one or more.

    Before conversion it runs for as many time steps as its input has, with theta = 1.

    Args:
        surrogate: gradient of the spike; None: `Triangle()`.
        threshold: has no effect; accepted because models may set another threshold for some neurons.
        rising: input with fewer steps than T: average (over time) | upsample (repeat steps).
        falling: input with more steps than T: average (over time) | downsample (omit steps).
        equal: input with T steps: keep (as the paper does) | average.
        averaged: what is averaged: currents (Algorithm 1) | spikes (Eq. 20), which saves steps. With "spikes" the
            output of the preceding neuron layer is averaged; the result is the same for layers in between that treat
            all time steps alike, and these compute one step only. If the layers that follow disagree, currents are
            averaged.
        closed_form: true: spikes of a constant current without a loop over time.
        max_pool: max pools of the network choose by: counts (of spikes so far; exact) | gate (the input with most
            spikes so far, Rueckauer et al. 2017) | spikes (of each step; other rates than the ANN's). All neurons of
            a network have the same.
        time_scale: factor of T in all layers (the paper's Appendix D); theta does not change.
    """

    own_time = True

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        threshold: float = 1.0,
        *,
        rising: Literal["average", "upsample"] = "average",
        falling: Literal["average", "downsample"] = "average",
        equal: Literal["keep", "average"] = "keep",
        averaged: Literal["currents", "spikes"] = "currents",
        closed_form: bool = False,
        max_pool: Literal["counts", "gate", "spikes"] = "counts",
        time_scale: PositiveInt = 1,
    ) -> None:
        # In units of theta, so that the constants of the recurrence are numbers, not tensors.
        super().__init__(surrogate, Dynamics(1.0, 0.0, True, False, False), 0.5)
        self.rising = rising
        self.falling = falling
        self.equal = equal
        self.averaged = averaged
        self.closed_form = closed_form
        self.max_pool = max_pool
        self.time_scale = time_scale
        self.theta: Tensor
        self.register_buffer("theta", torch.tensor(1.0))
        self._steps: int | None = None
        self._consumers: tuple[int, ...] = ()

    def current_decay(self) -> float:
        return 1.0

    @property
    def per_step(self) -> bool:
        """Whether it needs all time steps of its input at once, which is so after conversion."""
        return self._steps is not None

    @property
    def time_steps(self) -> int | None:
        """T times the factor `time_scale`; None before conversion."""
        return None if self._steps is None else self._steps * self.time_scale

    def get_extra_state(self) -> Tensor:
        """Returns T (0 before conversion) and the T of every neuron layer that this one feeds."""
        return torch.tensor([self._steps or 0, *self._consumers])

    def set_extra_state(self, state: Tensor) -> None:
        steps, *consumers = state.tolist()
        self._steps, self._consumers = steps or None, tuple(consumers)

    def align(self, x_T: Tensor) -> Tensor:
        """Returns the input with this layer's number of time steps, or with one if it is constant: [T or 1, ...]."""
        steps, given = self.time_steps, len(x_T)
        if steps is None or given == 1:
            return x_T
        if self._averages(given, steps):
            return x_T.mean(0, keepdim=True)
        return x_T if given == steps else nearest(x_T, steps)

    def mean_of_spikes(self, spikes_T: Tensor) -> Tensor:
        """Returns the time mean of the output [1, ...], for layers whose output is averaged by all that follow."""
        return spikes_T.mean(0, keepdim=True)

    def _averages(self, given: int, steps: int) -> bool:
        how = self.equal if given == steps else self.rising if given < steps else self.falling
        return how == "average"

    def _puts_out_means(self) -> bool:
        """Returns whether all layers that follow average; the last layer's logits are averaged in any case."""
        steps = self._steps
        return (
            steps is not None
            and self.averaged == "spikes"
            and all(self._averages(steps, consumer) for consumer in self._consumers)
        )

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        steps = self.time_steps
        x_T = self.align(x_T)
        precise = x_T.to(torch.promote_types(x_T.dtype, torch.float32)) / self.theta
        if steps is not None and len(x_T) == 1 and self.closed_form and state is None:
            return self._constant(precise[0], steps).to(x_T.dtype), precise.new_empty(0)
        if steps is not None and len(x_T) == 1:
            precise = average(precise, steps)
        spikes_T, state = super().forward_with_state(precise, state)
        if self._puts_out_means():
            spikes_T = self.mean_of_spikes(spikes_T)
        return (spikes_T * self.theta).to(x_T.dtype), state

    def _constant(self, q: Tensor, steps: int) -> Tensor:
        """Returns the output for a constant current in units of theta: all spikes, or their mean, times theta."""
        if self._puts_out_means():
            mean = (q * steps + 0.5).floor_().clamp_(0, steps).mul_(self.theta / steps)
            return mean.unsqueeze(0)
        t = torch.arange(steps + 1, dtype=q.dtype, device=q.device).view(-1, *[1] * q.dim())
        counts = torch.minimum((t * q + 0.5).floor_().clamp_(min=0), t)
        return counts.diff(dim=0) * self.theta

    def extra_repr(self) -> str:
        return f"T={self.time_steps}, {self.rising}, {self.falling}, {self.equal}"
