"""The recurrence of `if`, `lif` and `plif`, as pure functions of the input, the state and the leak.

Two forms of the same thing: a plain loop (for torch.compile, and for surrogates with a forward of their own),
and an autograd function which keeps only the input for the backward pass and recomputes the membrane there.
Shape suffixes: T time steps, `...` any further axes.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.surrogates._surrogate import Surrogate


@dataclass(frozen=True)
class Dynamics:
    """What is fixed about the recurrence.

    charge  h_t = decay (v_{t-1} - v_reset) + v_reset + gain x_t,  gain = 1 - decay if decay_input else 1
    fire    s_t = 1 if h_t >= threshold else 0
    reset   v_t = h_t (1 - s_t) + v_reset s_t   (hard)   or   v_t = h_t - threshold s_t   (soft)

    With detach_reset, s_t is a constant in the reset as far as gradients go.
    """

    threshold: float
    v_reset: float
    soft_reset: bool
    detach_reset: bool
    decay_input: bool

    def charge(self, x: Tensor, v: Tensor, decay: Tensor | float, out: Tensor | None = None) -> Tensor:
        h = torch.mul(v, decay, out=out).add_(x * (1 - decay) if self.decay_input else x)
        return h.add_((1 - decay) * self.v_reset) if self.v_reset else h

    def reset(self, h: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
        if self.soft_reset:
            return torch.sub(h, s, alpha=self.threshold, out=out)
        v = torch.addcmul(h, h, s, value=-1, out=out)
        return v.add_(s, alpha=self.v_reset) if self.v_reset else v


def integrate_and_fire(
    x_T: Tensor, v: Tensor, decay: Tensor | float, dynamics: Dynamics, surrogate: Surrogate
) -> tuple[Tensor, Tensor]:
    """Spikes [T, ...] in the dtype of x_T [T, ...], and the membrane potential [...] after the last step.

    `v` [...] is the potential before the first step and sets the precision of the arithmetic; `decay` is a
    number or a scalar tensor that gets a gradient. The adjoint, with g the gradient of what its index names:

        g_{h,t}   = (g_{s,t} + g_{v,t} dv_t/ds_t) surrogate'(h_t - threshold) + g_{v,t} dv_t/dh_t
        g_{x,t}   = gain g_{h,t}
        g_{v,t-1} = decay g_{h,t}
        g_decay   = sum over t of g_{h,t} (v_{t-1} - v_reset), x_t subtracted in the bracket if decay_input

    with dv_t/ds_t = 0 under detach_reset. The autograd function is differentiable once.
    """
    if torch.compiler.is_compiling() or _has_own_autograd(surrogate):
        return _loop(x_T, v, decay, dynamics, surrogate)
    return _Recurrence.apply(x_T, v, decay, dynamics, surrogate)  # type: ignore[no-any-return]


def _has_own_autograd(surrogate: Surrogate) -> bool:
    return type(surrogate).forward is not Surrogate.forward or any(True for _ in surrogate.parameters())


def _loop(
    x_T: Tensor, v: Tensor, decay: Tensor | float, dynamics: Dynamics, surrogate: Surrogate
) -> tuple[Tensor, Tensor]:
    spikes_T = []
    for x in x_T.to(v.dtype).unbind(0):
        h = dynamics.charge(x, v, decay)
        s = surrogate(h - dynamics.threshold)
        v = dynamics.reset(h, s.detach() if dynamics.detach_reset else s)
        spikes_T.append(s.to(x_T.dtype))
    return torch.stack(spikes_T), v


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_T: Tensor, v: Tensor, decay: Tensor | float, dynamics: Dynamics, surrogate: Surrogate
    ) -> tuple[Tensor, Tensor]:
        learned = decay if isinstance(decay, Tensor) else None
        ctx.save_for_backward(x_T, v, learned)
        ctx.constants = (decay if learned is None else None, dynamics, surrogate)
        spikes_T = torch.empty_like(x_T, dtype=v.dtype)
        h, after = torch.empty_like(v), torch.empty_like(v)
        for x, s in zip(x_T.to(v.dtype).unbind(0), spikes_T.unbind(0), strict=True):
            dynamics.charge(x, v, decay, out=h)
            torch.ge(h, dynamics.threshold, out=s)
            v = dynamics.reset(h, s, out=after)
        return spikes_T.to(x_T.dtype), v

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor, grad_v: Tensor) -> tuple[Tensor | None, ...]:
        x_T, v, learned = ctx.saved_tensors
        number, dynamics, surrogate = ctx.constants
        decay = number if learned is None else learned
        threshold, v_reset = dynamics.threshold, dynamics.v_reset
        x_T = x_T.to(v.dtype)
        h_T, s, after = torch.empty_like(x_T), torch.empty_like(v), torch.empty_like(v)
        before = []
        for x, h in zip(x_T.unbind(0), h_T.unbind(0), strict=True):
            if learned is not None:
                before.append(v.clone())
            dynamics.charge(x, v, decay, out=h)
            torch.ge(h, threshold, out=s)
            v = dynamics.reset(h, s, out=after)

        grad_x_T = torch.empty_like(x_T)
        grad_decay = None if learned is None else torch.zeros_like(learned)
        grad_v = grad_v.clone()
        for t in reversed(range(len(x_T))):
            h, grad_s = h_T[t], grad_spikes_T[t].to(v.dtype)
            if not dynamics.detach_reset and dynamics.soft_reset:
                grad_s = torch.sub(grad_s, grad_v, alpha=threshold)
            elif not dynamics.detach_reset:
                grad_s = torch.addcmul(grad_s, grad_v, h - v_reset if v_reset else h, value=-1)
            if not dynamics.soft_reset:
                torch.ge(h, threshold, out=s)
                grad_v.addcmul_(grad_v, s, value=-1)
            grad_h = grad_v.addcmul_(grad_s, surrogate.gradient(h - threshold))
            grad_x_T[t] = grad_h * (1 - decay) if dynamics.decay_input else grad_h
            if grad_decay is not None:
                leaked = before[t] - v_reset
                grad_decay += (grad_h * (leaked - x_T[t] if dynamics.decay_input else leaked)).sum()
            grad_v = grad_h.mul_(decay)
        return grad_x_T, grad_v, grad_decay, None, None
