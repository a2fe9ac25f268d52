"""The recurrence of neurons with one membrane potential, as a pure function of the input, the state and the leak.

Two forms of the same thing: a plain loop (for torch.compile, and for surrogates with a forward of their own),
and an autograd function which keeps only the input for the backward pass and recomputes the membrane there. The
faster forms are in `snnlab.kernels`.
Shape suffixes: T time steps, `...` any further axes.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels._backend import Call, pick, pick_operator
from snnlab.kernels.form import KernelForm
from snnlab.surrogates._surrogate import Surrogate

Measure = Callable[[Tensor], Tensor | None]
"""What looks at the charged potentials h_T [T, ...] of a call, before any reset.

It returns a scalar that may be differentiated (then it has to be pure: the backward pass calls it again), or None.
"""


@dataclass(frozen=True)
class Dynamics:
    """The equations of one step; the number t of the step counts from 0 and matters to subclasses only.

    charge  h_t = decay (v_{t-1} - v_reset) + v_reset + gain x_t,  gain = 1 - decay if decay_input else 1
    fire    s_t = 1 if h_t >= threshold else 0
    reset   v_t = h_t (1 - s_t) + v_reset s_t   (hard)   or   v_t = h_t - threshold s_t   (soft)

    With detach_reset, s_t is a constant in the reset as far as gradients go. A subclass that fires otherwise
    overrides `fire`, `reset`, `fire_and_reset` and `adjoint`; one whose threshold varies, `fire`, `spike` and
    `slope`.
    """

    threshold: float
    v_reset: float
    soft_reset: bool
    detach_reset: bool
    decay_input: bool

    def kernel_form(self) -> KernelForm | None:
        """These equations for Triton kernels; None: there are none for them. A subclass has to give its own."""
        if type(self) is not Dynamics:
            return None
        options = (int(self.soft_reset), int(self.detach_reset), 0)
        return KernelForm("snnlab.kernels.integrate_and_fire", options, self.threshold, self.threshold)

    def key(self) -> Hashable:
        """What is equal for the same equations, whatever the levels of their steps."""
        return self

    def at_levels(self, threshold: Tensor, width: Tensor) -> "Dynamics":
        """These equations for one step, whose levels are given; for those whose `kernel_form` has levels."""
        return self

    def charge(self, x: Tensor, v: Tensor, decay: Tensor | float, out: Tensor | None = None) -> Tensor:
        h = torch.mul(v, decay, out=out).add_(x * (1 - decay) if self.decay_input else x)
        return h.add_((1 - decay) * self.v_reset) if self.v_reset else h

    def fire(self, h: Tensor, t: int, out: Tensor) -> Tensor:
        """Spikes as values, without a gradient."""
        return torch.ge(h, self.threshold, out=out)

    def reset(self, h: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
        if self.soft_reset:
            return torch.sub(h, s, alpha=self.threshold, out=out)
        v = torch.addcmul(h, h, s, value=-1, out=out)
        return v.add_(s, alpha=self.v_reset) if self.v_reset else v

    def fire_and_reset(self, h: Tensor, t: int, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
        """Spikes and the potential after them, differentiable by autograd."""
        s = self.spike(h, t, surrogate)
        return s, self.reset(h, s.detach() if self.detach_reset else s)

    def spike(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold)(h - self.threshold)  # type: ignore[no-any-return]

    def slope(self, h: Tensor, t: int, surrogate: Surrogate) -> Tensor:
        return surrogate.at(t, self.threshold).gradient(h - self.threshold)

    def adjoint(
        self, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor, surrogate: Surrogate, scratch: Tensor
    ) -> Tensor:
        """The gradient of h_t by that of s_t and v_t; overwrites `grad_v` and `scratch`."""
        if not self.detach_reset and self.soft_reset:
            grad_s = torch.sub(grad_s, grad_v, alpha=self.threshold)
        elif not self.detach_reset:
            grad_s = torch.addcmul(grad_s, grad_v, h - self.v_reset if self.v_reset else h, value=-1)
        if not self.soft_reset:
            grad_v.addcmul_(grad_v, self.fire(h, t, out=scratch), value=-1)
        return grad_v.addcmul_(grad_s, self.slope(h, t, surrogate))


def integrate_and_fire(
    x_T: Tensor,
    v: Tensor,
    decay: Tensor | float,
    dynamics: Dynamics,
    surrogate: Surrogate,
    start: int = 0,
    measure: Measure | None = None,
    keep_state: bool = True,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Spikes [T, ...] in the dtype of x_T [T, ...], the potential [...] after the last step, what was measured.

    `v` [...] is the potential before the first step and sets the precision of the arithmetic; `decay` is a
    number or a scalar tensor that gets a gradient; `start` is the number of the first step; without `keep_state` the
    last potential may be anything, and need not be written. The adjoint, with
    g the gradient of what its index names:

        g_{h,t}   = (g_{s,t} + g_{v,t} dv_t/ds_t) surrogate'(h_t - threshold) + g_{v,t} dv_t/dh_t
        g_{x,t}   = gain g_{h,t}
        g_{v,t-1} = decay g_{h,t}
        g_decay   = sum over t of g_{h,t} (v_{t-1} - v_reset), x_t subtracted in the bracket if decay_input

    with dv_t/ds_t = 0 under detach_reset; the derivative of a measurement is added to g_{h,t}. A surrogate with
    parameters is differentiated by autograd, one step at a time. The autograd function is differentiable once.
    """
    call = Call(x_T, v, decay, dynamics, surrogate, start, measure, keep_state)
    compiling = torch.compiler.is_compiling()
    if (chosen := pick_operator(call) if compiling else pick(call)) is not None:
        return chosen.run(call)
    if compiling or not surrogate.plain_step:
        return _loop(x_T, v, decay, dynamics, surrogate, start, measure)
    return _Recurrence.apply(  # type: ignore[no-any-return]
        x_T, v, decay, dynamics, surrogate, start, measure, *surrogate.parameters()
    )


def _loop(
    x_T: Tensor,
    v: Tensor,
    decay: Tensor | float,
    dynamics: Dynamics,
    surrogate: Surrogate,
    start: int,
    measure: Measure | None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    spikes_T, h_T = [], []
    for t, x in enumerate(x_T.to(v.dtype).unbind(0), start):
        h = dynamics.charge(x, v, decay)
        s, v = dynamics.fire_and_reset(h, t, surrogate)
        spikes_T.append(s.to(x_T.dtype))
        if measure is not None:
            h_T.append(h)
    return torch.stack(spikes_T), v, None if measure is None else measure(torch.stack(h_T))


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_T: Tensor,
        v: Tensor,
        decay: Tensor | float,
        dynamics: Dynamics,
        surrogate: Surrogate,
        start: int,
        measure: Measure | None,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        learned = decay if isinstance(decay, Tensor) else None
        ctx.save_for_backward(x_T, v, learned, *parameters)
        ctx.constants = (decay if learned is None else None, dynamics, surrogate, start, measure)
        ctx.set_materialize_grads(False)
        spikes_T = torch.empty_like(x_T, dtype=v.dtype)
        h, after = (
            torch.empty_like(spikes_T[0]),
            torch.empty_like(spikes_T[0]),
        )  # v may be one number, repeated
        h_T = None if measure is None else torch.empty_like(spikes_T)
        for t, (x, s) in enumerate(zip(x_T.to(v.dtype).unbind(0), spikes_T.unbind(0), strict=True)):
            h = h if h_T is None else h_T[t]
            dynamics.charge(x, v, decay, out=h)
            dynamics.fire(h, start + t, out=s)
            v = dynamics.reset(h, s, out=after)
        return spikes_T.to(x_T.dtype), v, None if measure is None or h_T is None else measure(h_T)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_v: Tensor | None, grad_measured: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x_T, v, learned, *parameters = ctx.saved_tensors
        number, dynamics, surrogate, start, measure = ctx.constants
        decay = number if learned is None else learned
        x_T = x_T.to(v.dtype)
        h_T, s, after = torch.empty_like(x_T), torch.empty_like(x_T[0]), torch.empty_like(x_T[0])
        before = []
        for t, (x, h) in enumerate(zip(x_T.unbind(0), h_T.unbind(0), strict=True), start):
            if learned is not None:
                before.append(v.clone())
            dynamics.charge(x, v, decay, out=h)
            dynamics.fire(h, t, out=s)
            v = dynamics.reset(h, s, out=after)

        grad_h_T = None if grad_measured is None else measured_gradient(measure, h_T, grad_measured)
        grad_x_T = torch.empty_like(x_T)
        grad_decay = None if learned is None else torch.zeros_like(learned)
        grad_parameters = [torch.zeros_like(parameter) for parameter in parameters]
        grad_v = torch.zeros_like(after) if grad_v is None else grad_v.clone()
        for t in reversed(range(len(x_T))):
            h = h_T[t]
            grad_s = torch.zeros_like(h) if grad_spikes_T is None else grad_spikes_T[t].to(h.dtype)
            if parameters:
                grad_h, *grads = differentiate(dynamics, surrogate, h, start + t, grad_s, grad_v)
                for total, grad in zip(grad_parameters, grads, strict=True):
                    total += grad
            else:
                grad_h = dynamics.adjoint(h, start + t, grad_s, grad_v, surrogate, s)
            if grad_h_T is not None:
                grad_h += grad_h_T[t]
            grad_x_T[t] = grad_h * (1 - decay) if dynamics.decay_input else grad_h
            if grad_decay is not None:
                leaked = before[t] - dynamics.v_reset
                grad_decay += (grad_h * (leaked - x_T[t] if dynamics.decay_input else leaked)).sum()
            grad_v = grad_h.mul_(decay)
        return grad_x_T, grad_v, grad_decay, None, None, None, None, *grad_parameters


def differentiate(
    dynamics: Dynamics, surrogate: Surrogate, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor
) -> tuple[Tensor, ...]:
    """The gradients of h_t and of the surrogate's parameters, by autograd through this one step."""
    with torch.enable_grad():
        h = h.detach().requires_grad_()
        s, v = dynamics.fire_and_reset(h, t, surrogate)
        return torch.autograd.grad(
            (s, v), (h, *surrogate.parameters()), (grad_s, grad_v), allow_unused=True, materialize_grads=True
        )


def measured_gradient(measure: Measure, h_T: Tensor, grad_measured: Tensor) -> Tensor:
    with torch.enable_grad():
        h_T = h_T.detach().requires_grad_()
        measured = measure(h_T)
        assert measured is not None
        (grad_h_T,) = torch.autograd.grad(measured, h_T, grad_measured)
    return grad_h_T
