"""The reference implementation of the neuron update in plain PyTorch, which every other back end must reproduce.

It has two forms: a plain loop (under torch.compile, and for surrogates with a forward pass of their own), and an
autograd function that saves only the input for the backward pass and recomputes the membrane potentials there.
Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, Dynamics, Measure, Result
from snnlab.surrogates.base import Surrogate


def run(call: Call) -> Result:
    """Returns the results of `integrate_and_fire`."""
    return recurrence(call) if call.surrogate.plain_step else loop(call)


def loop(call: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    """Returns spikes [T, ...], the last potential [...] and the measurement, by a loop that autograd differentiates."""
    x_T, v, dynamics = call.x_T, call.v, call.dynamics
    spikes_T, h_T = [], []
    for t, x in enumerate(x_T.to(v.dtype).unbind(0), call.start):
        h = dynamics.charge(x, v, call.decay)
        s, v = dynamics.fire_and_reset(h, t, call.surrogate)
        spikes_T.append(s.to(x_T.dtype))
        if call.measure is not None:
            h_T.append(h)
    return torch.stack(spikes_T), v, None if call.measure is None else call.measure(torch.stack(h_T))


def recurrence(call: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    """Returns the results of `loop`, but saves only the input for the backward pass; differentiable once."""
    return _Recurrence.apply(  # type: ignore[no-any-return]
        call.x_T, call.v, call.decay, call, *call.surrogate.parameters()
    )


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_T: Tensor,
        v: Tensor,
        decay: Tensor | float,
        call: Call,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        dynamics, start, measure = call.dynamics, call.start, call.measure
        learned = decay if isinstance(decay, Tensor) else None
        ctx.save_for_backward(x_T, v, learned, *parameters)
        ctx.constants = (decay if learned is None else None, dynamics, call.surrogate, start, measure)
        ctx.set_materialize_grads(False)
        spikes_T = torch.empty_like(x_T, dtype=v.dtype)
        h, after = (
            torch.empty_like(spikes_T[0]),
            torch.empty_like(spikes_T[0]),
        )  # v may be one number, expanded
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
                decayed = before[t] - dynamics.v_reset
                grad_decay += (grad_h * (decayed - x_T[t] if dynamics.decay_input else decayed)).sum()
            grad_v = grad_h.mul_(decay)
        return grad_x_T, grad_v, grad_decay, None, *grad_parameters


def differentiate(
    dynamics: Dynamics, surrogate: Surrogate, h: Tensor, t: int, grad_s: Tensor, grad_v: Tensor
) -> tuple[Tensor, ...]:
    """Returns the gradients of h_t and of the surrogate's parameters, by autograd through this one step.

    That of a parameter that is frozen is zero.
    """
    parameters = tuple(surrogate.parameters())
    learned = [one for one in parameters if one.requires_grad]
    with torch.enable_grad():
        h = h.detach().requires_grad_()
        s, v = dynamics.fire_and_reset(h, t, surrogate)
        grad_h, *grads = torch.autograd.grad(
            (s, v), (h, *learned), (grad_s, grad_v), allow_unused=True, materialize_grads=True
        )
    of_learned = iter(grads)
    return grad_h, *(next(of_learned) if one.requires_grad else torch.zeros_like(one) for one in parameters)


def measured_gradient(measure: Measure, h_T: Tensor, grad_measured: Tensor) -> Tensor:
    with torch.enable_grad():
        h_T = h_T.detach().requires_grad_()
        measured = measure(h_T)
        assert measured is not None
        (grad_h_T,) = torch.autograd.grad(measured, h_T, grad_measured)
    return grad_h_T
