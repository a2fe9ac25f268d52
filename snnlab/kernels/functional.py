"""Neurons as functions, run by the selected back end: `lif`, its single step `lif_step`, and any neuron's recurrence.

    from snnlab.kernels.functional import lif, lif_step

    spikes, v = lif_step(x, decay=0.9)             # the first step, from rest
    spikes, v = lif_step(x, v, decay=0.9)          # next steps: inputs x [...] and v [...], outputs spikes and v
    spikes_T, v = lif(x_T, decay=0.9)              # a whole sequence x_T [T, ...] at once, which is faster

Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Literal

import torch
from torch import Tensor

from snnlab.kernels import eager
from snnlab.kernels.choose import pick_operator, run
from snnlab.kernels.contract import Call, Dynamics, Result, is_soft
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.triangle import Triangle

_TRIANGLE = Triangle()


def lif(
    x_T: Tensor,
    v: Tensor | None = None,
    *,
    decay: Tensor | float = 0.5,
    threshold: float = 1.0,
    surrogate: Surrogate | None = None,
    decay_input: bool = False,
    reset: Literal["hard", "soft"] = "hard",
    v_reset: float = 0.0,
    detach_reset: bool = False,
    start: int = 0,
) -> tuple[Tensor, Tensor]:
    """Runs a leaky integrate-and-fire neuron over a sequence; returns spikes [T, ...] and the last potential [...].

        h_t = decay (v_{t-1} - v_reset) + v_reset + x_t       (decay_input: x_t times 1 - decay)
        s_t = 1 if h_t >= threshold else 0
        v_t = v_reset where s_t = 1, else h_t                 (reset hard)
        v_t = h_t - threshold s_t                             (reset soft)

    and in the backward pass ds_t/dh_t = surrogate'(h_t - threshold). decay=1 is a neuron without a leak. Differentiable
    once, with respect to x_T, v, a decay that is a tensor, and the parameters of the surrogate.

    Args:
        x_T: input currents [T, ...]; the spikes have their dtype.
        v: potential before the first step [...], in float32 (float64 for a float64 input); None: zero.
        decay: factor of the potential from one step to the next, a number or a scalar tensor [].
        threshold: firing threshold of the membrane potential.
        surrogate: surrogate gradient of the spike; None: `Triangle()`.
        decay_input: scale the input by 1 - decay.
        reset: "hard" to v_reset, or "soft" by subtracting the threshold.
        v_reset: potential after a hard reset, to which the membrane potential decays.
        detach_reset: no gradient through the spike in the reset.
        start: number of the first step, from 0, for surrogates with parameters for each step.

    Raises:
        ValueError: there is no such reset, or v does not have the shape of one step of x_T.
    """
    surrogate = _TRIANGLE if surrogate is None else surrogate
    dynamics = Dynamics(threshold, v_reset, is_soft(reset), detach_reset, decay_input)
    if v is None:
        v = torch.zeros((), dtype=torch.promote_types(x_T.dtype, torch.float32), device=x_T.device)
        v = v.expand(x_T.shape[1:])
    elif v.shape != x_T.shape[1:]:
        raise ValueError(f"v has the shape {[*v.shape]}, but a step of the input {[*x_T.shape[1:]]}")
    return integrate_and_fire(Call(x_T, v, decay, dynamics, surrogate, start))[:2]


def lif_step(
    x: Tensor,
    v: Tensor | None = None,
    *,
    decay: Tensor | float = 0.5,
    threshold: float = 1.0,
    surrogate: Surrogate | None = None,
    decay_input: bool = False,
    reset: Literal["hard", "soft"] = "hard",
    v_reset: float = 0.0,
    detach_reset: bool = False,
    start: int = 0,
) -> tuple[Tensor, Tensor]:
    """Runs one time step of `lif`; returns spikes [...] and the next potential [...] for the input x [...] and v [...].

    Consecutive steps equal one call of `lif`, which documents the arguments; `start` is the number of this step.

    Raises:
        ValueError: there is no such reset, or v does not have the shape of x.
    """
    spikes_T, v = lif(
        x.unsqueeze(0),
        v,
        decay=decay,
        threshold=threshold,
        surrogate=surrogate,
        decay_input=decay_input,
        reset=reset,
        v_reset=v_reset,
        detach_reset=detach_reset,
        start=start,
    )
    return spikes_T.squeeze(0), v


def integrate_and_fire(call: Call) -> Result:
    """Returns spikes [T, ...] in the dtype of x_T [T, ...], the last potential [...], and the measurement.

    The arguments are the fields of `Call`. The backward pass, where g is the gradient of the quantity in its index:

        g_{h,t}   = (g_{s,t} + g_{v,t} dv_t/ds_t) surrogate'(h_t - threshold) + g_{v,t} dv_t/dh_t
        g_{x,t}   = gain g_{h,t}
        g_{v,t-1} = decay g_{h,t}
        g_decay   = sum over t of g_{h,t} (v_{t-1} - v_reset), x_t subtracted in the bracket if decay_input

    with dv_t/ds_t = 0 under detach_reset; the derivative of a measurement is added to g_{h,t}. A surrogate with
    parameters is differentiated by autograd, one step at a time. The autograd function is differentiable once.
    """
    if not torch.compiler.is_compiling():
        return run(call)
    operator = pick_operator(call)
    return eager.loop(call) if operator is None else operator(call)
