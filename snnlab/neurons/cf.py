"""The circulate-firing neuron, which emits several spikes of either sign in one step."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from snnlab.kernels.contract import Dynamics, KernelForm
from snnlab.neurons.base_membrane import MembraneNeuron
from snnlab.ranges import HalfOpenFraction, NonNegativeInt, Positive, PositiveInt
from snnlab.surrogates.base import Surrogate


class CF(MembraneNeuron):
    """Circulate-firing neuron: up to K_P positive or K_N negative spikes at once, and a soft reset by them.

    h_t = decay v_{t-1} + x_t
    p_t = sum over k = 1..K_P of [ h_t >=  k theta_P]
    n_t = sum over k = 1..K_N of [-h_t >=  k theta_N]
    s_t = p_t - n_t                                       in -K_N..K_P
    v_t = h_t - theta_P p_t + theta_N n_t                 (subtract emitted)
    v_t = h_t - theta_P [p_t > 0] + theta_N [n_t > 0]     (subtract one)

    for x_T [T, ...] (circulate-firing paper, Eq. 2 and 10 to 13). In the backward pass each bracket is a step
    function with the surrogate's gradient g around its own level (Eq. 14 to 16):

    ds_t/dh_t = sum over k of g(h_t - k theta_P) + sum over k of g(-h_t - k theta_N)

    Special cases: K_P = 1, K_N = 0 is `lif` with a soft reset (single threshold); K_P = K_N = 1 fires spikes of
    both signs (double threshold); K_P > 1, K_N = 0 fires several positive spikes only.

    Where the paper is ambiguous: theta_N is a magnitude here; the paper sets it to -1, with which Eq. 13 is
    right but Eq. 10 would make a negative potential more negative and Eq. 14 could never hold. The paper fires on
    strictly greater, which differs only at exact equality. Eq. 10 subtracts "the k-th spike" without defining k:
    by default all emitted spikes are subtracted, as Eq. 11 sums over them and a soft reset keeps the remaining
    charge; "one" subtracts a single threshold whatever was emitted. In either case the charge beyond the last
    level remains.

    Args:
        surrogate: gradient of each level's step; None: `Triangle()`.
        K_P: most positive spikes in a step. The paper's 2.
        K_N: most negative spikes in a step; 0: fires upwards only. The paper's 2.
        theta_P: distance of the positive levels, in units of `threshold`.
        theta_N: distance of the negative levels, a magnitude, in units of `threshold`.
        threshold: unit of both thetas; models set another one for some neurons.
        decay: factor of the potential from one step to the next. The paper's 0.25.
        subtract: the reset subtracts: emitted (a threshold for each spike) | one (one threshold).
        detach_reset: true: no gradient through the spikes in the reset. The paper does not say.
    """

    def __init__(
        self,
        surrogate: Surrogate | None = None,
        *,
        K_P: PositiveInt = 2,
        K_N: NonNegativeInt = 2,
        theta_P: Positive = 1.0,
        theta_N: Positive = 1.0,
        threshold: Positive = 1.0,
        decay: HalfOpenFraction = 0.25,
        subtract: Literal["emitted", "one"] = "emitted",
        detach_reset: bool = False,
    ) -> None:
        super().__init__(surrogate)
        self.output_range = (-K_N, K_P)
        self.decay = decay
        self.dynamics = _Circulation(
            threshold=threshold * theta_P,
            v_reset=0.0,
            soft_reset=True,
            detach_reset=detach_reset,
            decay_input=False,
            negative_threshold=threshold * theta_N,
            up=K_P,
            down=K_N,
            subtract_one=subtract == "one",
        )

    @property
    def thresholds(self) -> tuple[float, float]:
        return self.dynamics.threshold, self.dynamics.negative_threshold

    def firing_thresholds(self, t: int) -> list[float]:
        down, up = self.output_range
        theta_P, theta_N = self.thresholds
        return [k * theta_N for k in range(down, 0)] + [k * theta_P for k in range(1, up + 1)]

    def current_decay(self) -> float:
        return self.decay

    def dynamics_of_call(self) -> Dynamics:
        return self.dynamics

    def extra_repr(self) -> str:
        return f"decay={self.decay:g}, {self.dynamics}"


@dataclass(frozen=True)
class _Circulation(Dynamics):
    """`threshold` is theta_P, `negative_threshold` theta_N as a magnitude; `up` and `down` are K_P and K_N."""

    negative_threshold: float
    up: int
    down: int
    subtract_one: bool

    def kernel_form(self) -> KernelForm:
        options = (self.up, self.down, int(self.subtract_one), int(self.detach_reset))
        return KernelForm(
            "snnlab.kernels.triton.families.circulate_firing",
            options,
            self.threshold,
            self.negative_threshold,
        )

    def fire(self, h: Tensor, t: int, out: Tensor) -> Tensor:
        torch.ge(h, self.threshold, out=out)
        for k in range(2, self.up + 1):
            out.add_(h >= k * self.threshold)
        for k in range(1, self.down + 1):
            out.add_(h <= -k * self.negative_threshold, alpha=-1)
        return out

    def reset(self, h: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
        if self.subtract_one:
            s = s.clamp(-1, 1)
        if self.threshold == self.negative_threshold or not self.down:
            return torch.sub(h, s, alpha=self.threshold, out=out)
        v = torch.sub(h, s.clamp(min=0), alpha=self.threshold, out=out)
        return v.sub_(s.clamp(max=0), alpha=self.negative_threshold)

    def fire_and_reset(self, h: Tensor, t: int, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
        upwards = surrogate.at(t, self.threshold)
        downwards = surrogate.at(t, self.negative_threshold)
        up = [upwards(h - k * self.threshold) for k in range(1, self.up + 1)]
        down = [downwards(-h - k * self.negative_threshold) for k in range(1, self.down + 1)]
        p, n = _total(h, up), _total(h, down)
        taken, given = (_total(h, up[:1]), _total(h, down[:1])) if self.subtract_one else (p, n)
        if self.detach_reset:
            taken, given = taken.detach(), given.detach()
        return p - n, h - taken * self.threshold + given * self.negative_threshold

    def slope(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        up, down = self._slopes(h, t, surrogate)
        return _total(h, up) + _total(h, down)

    def adjoint(
        self, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor, surrogate: Surrogate, scratch: Tensor
    ) -> Tensor:
        up, down = self._slopes(h, t, surrogate)
        slope = torch.add(_total(h, up), _total(h, down), out=scratch)
        grad_h = grad_s * slope
        if not self.detach_reset:
            few = 1 if self.subtract_one else None
            reset_slope = _total(h, up[:few]) * self.threshold
            reset_slope.add_(_total(h, down[:few]), alpha=self.negative_threshold)
            grad_v.addcmul_(grad_v, reset_slope, value=-1)
        return grad_v.add_(grad_h)

    def _slopes(self, h: Tensor, t: int, surrogate: Surrogate) -> tuple[list[Tensor], list[Tensor]]:
        """Returns the surrogate gradients at each positive and each negative threshold."""
        upwards = surrogate.at(t, self.threshold)
        downwards = surrogate.at(t, self.negative_threshold)
        up = [upwards.gradient(h - k * self.threshold) for k in range(1, self.up + 1)]
        down = [downwards.gradient(-h - k * self.negative_threshold) for k in range(1, self.down + 1)]
        return up, down


def _total(like: Tensor, terms: list[Tensor]) -> Tensor:
    return sum(terms[1:], terms[0]) if terms else torch.zeros_like(like)
