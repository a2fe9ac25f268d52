"""The interface between neurons, back ends and normalisations for one call of the recurrence.

`Dynamics` holds the equations of a time step, `KernelForm` their form for kernels, `Call` the arguments of one call,
`Norm` a batch normalisation in front of the neuron, `Backend` the functions of a back end. Shape suffixes: T time
steps, `...` any further axes.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from snnlab.kernels.plans import Plans
from snnlab.surrogates.base import Surrogate

Result = tuple[Tensor, Tensor, Tensor | None]
"""Spikes [T, ...], the last potential [...] (of no meaning without `Call.keep_state`), and the measurement."""

Measure = Callable[[Tensor], Tensor | None]
"""What looks at the charged potentials h_T [T, ...] of a call, before any reset.

It returns a scalar that may be differentiated (then it has to be pure: the backward pass calls it again), or None.
"""


class Statistics(NamedTuple):
    """Computes threshold and surrogate width of a step from all its potentials, see `adaptive_threshold.py`.

    Attributes:
        f_c: factor of the adaptive threshold.
        threshold: whether the threshold adapts.
        width: whether the surrogate width adapts.
        by_deviation: whether the width follows the standard deviation rather than the threshold.
        decided: receives the number of the first step, and the thresholds and widths [2, T] of a call.
        threshold_width: maps count, mean and sum of squared differences [3] of a step's potentials in this process
            to the threshold and the width of the step.
    """

    f_c: float
    threshold: bool
    width: bool
    by_deviation: bool
    decided: Callable[[int, Tensor], None]
    threshold_width: Callable[[Tensor], tuple[Tensor | float, Tensor | float]]


class KernelForm(NamedTuple):
    """The equations of a neuron, in the form that kernels take.

    Attributes:
        family: name of a module with the functions `fire` and `adjoint`, such as
            `snnlab.kernels.triton.families.integrate_and_fire`; it documents the options.
        options: integers, compile-time constants of a kernel.
        threshold: distance between positive thresholds.
        lower: distance between negative thresholds, as a magnitude.
        threshold_width: if time steps differ: maps the number of the first step and the count of steps to the
            threshold and the width of each step [2, T].
        statistics: if threshold and width are computed from the potentials.
    """

    family: str
    options: tuple[int, ...]
    threshold: float
    lower: float
    threshold_width: Callable[[int, int], Tensor] | None = None
    statistics: Statistics | None = None


@dataclass(frozen=True)
class Dynamics:
    """The equations of one time step; its index t counts from 0 and is used by subclasses only.

    charge  h_t = decay (v_{t-1} - v_reset) + v_reset + gain x_t,  gain = 1 - decay if decay_input else 1
    fire    s_t = 1 if h_t >= threshold else 0
    reset   v_t = h_t (1 - s_t) + v_reset s_t   (hard)   or   v_t = h_t - threshold s_t   (soft)

    With detach_reset, s_t is treated as a constant in the reset by the backward pass. A subclass with another
    firing rule overrides `fire`, `reset`, `fire_and_reset` and `adjoint`; a subclass whose threshold varies
    overrides `fire`, `spike` and `slope`.
    """

    threshold: float
    v_reset: float
    soft_reset: bool
    detach_reset: bool
    decay_input: bool

    def kernel_form(self) -> KernelForm | None:
        """Returns these equations for Triton kernels; None if no kernel covers them. A subclass must override it."""
        if type(self) is not Dynamics:
            return None
        options = (int(self.soft_reset), int(self.detach_reset), 0)
        return KernelForm(
            "snnlab.kernels.triton.families.integrate_and_fire", options, self.threshold, self.threshold
        )

    def key(self) -> Hashable:
        """Returns a key that is equal for equal equations, whatever their thresholds at each step."""
        return self

    def at_threshold(self, threshold: Tensor, width: Tensor) -> "Dynamics":
        """Returns these equations for one step of given threshold and width, if `kernel_form` has `threshold_width`."""
        return self

    def charge(self, x: Tensor, v: Tensor, decay: Tensor | float, out: Tensor | None = None) -> Tensor:
        h = torch.mul(v, decay, out=out).add_(x * (1 - decay) if self.decay_input else x)
        return h.add_((1 - decay) * self.v_reset) if self.v_reset else h

    def fire(self, h: Tensor, t: int, out: Tensor) -> Tensor:
        """Returns the spikes, without a gradient."""
        return torch.ge(h, self.threshold, out=out)

    def reset(self, h: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
        if self.soft_reset:
            return torch.sub(h, s, alpha=self.threshold, out=out)
        v = torch.addcmul(h, h, s, value=-1, out=out)
        return v.add_(s, alpha=self.v_reset) if self.v_reset else v

    def fire_and_reset(self, h: Tensor, t: int, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
        """Returns the spikes and the potential after the reset, differentiable by autograd."""
        s = self.spike(h, t, surrogate)
        return s, self.reset(h, s.detach() if self.detach_reset else s)

    def spike(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold)(h - self.threshold)  # type: ignore[no-any-return]

    def slope(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold).gradient(h - self.threshold)

    def adjoint(
        self, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor, surrogate: Surrogate, scratch: Tensor
    ) -> Tensor:
        """Returns the gradient of h_t from those of s_t and v_t; overwrites `grad_v` and `scratch`."""
        if not self.detach_reset and self.soft_reset:
            grad_s = torch.sub(grad_s, grad_v, alpha=self.threshold)
        elif not self.detach_reset:
            grad_s = torch.addcmul(grad_s, grad_v, h - self.v_reset if self.v_reset else h, value=-1)
        if not self.soft_reset:
            grad_v.addcmul_(grad_v, self.fire(h, t, out=scratch), value=-1)
        return grad_v.addcmul_(grad_s, self.slope(h, t, surrogate))


def is_soft(reset: str) -> bool:
    """Returns True for a soft reset, False for a hard reset.

    Raises:
        ValueError: the reset is neither.
    """
    if reset not in ("hard", "soft"):
        raise ValueError(f"reset is '{reset}', but must be 'hard' or 'soft'")
    return reset == "soft"


_OF_FUNCTIONS = Plans()


class Call(NamedTuple):
    """One call of the recurrence.

    Attributes:
        x_T: input currents [T, ...].
        v: membrane potential before the first step [...]; the recurrence is computed in its dtype.
        decay: factor of the potential from one step to the next, a number or a learned scalar tensor.
        dynamics: the equations of a step.
        surrogate: surrogate gradient of the step function.
        start: number of the first step, from 0.
        measure: function of the membrane potentials before reset h_T [T, ...]; None: they are not stored.
        keep_state: whether the potential after the last step is needed; if not, it need not be written.
        plans: what back ends have worked out about earlier calls of the neuron.
    """

    x_T: Tensor
    v: Tensor
    decay: Tensor | float
    dynamics: Dynamics
    surrogate: Surrogate
    start: int = 0
    measure: Measure | None = None
    keep_state: bool = True
    plans: Plans = _OF_FUNCTIONS


@dataclass(frozen=True)
class Norm:
    """The parameters and statistics of a batch normalisation that kernels use.

    Attributes:
        weight, bias: [C].
        p_T: factor of each step [T], or None.
        eps: added to the variance.
        mean, var: running statistics [C] in evaluation; None: the statistics of this batch.
    """

    weight: Tensor
    bias: Tensor
    p_T: Tensor | None
    eps: float
    mean: Tensor | None
    var: Tensor | None


class Backend(Protocol):
    """The functions of a back end's module."""

    def refusal(self, call: Call) -> str | None:
        """Returns the reason why the back end does not cover a call, as a clause; None if it does."""

    def pays(self, call: Call) -> bool:
        """Returns whether a call is large enough to repay the launch; called before all others."""

    def run_planned(self, call: Call) -> Result | None:
        """Returns the results of a call that differs from an earlier one in its values only; else None.

        No `refusal` is asked for, so a plan's key has to contain all that decides about it.
        """

    def run(self, call: Call) -> Result:
        """Returns the results of `integrate_and_fire`, differentiable once, and keeps a plan for calls like it."""


class FusedBackend(Protocol):
    """The functions of a back end's module for a normalisation fused with a neuron."""

    def norm_and_neuron(
        self, call: Call, norm: Norm, residual_T: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the spikes for the normalised call.x_T plus a residual, and mean and variance of each channel."""
