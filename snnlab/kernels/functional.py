"""Neurons as functions, run by the back end that is chosen: `lif`, one step `lif_step`, and any neuron's recurrence.

    from snnlab.kernels.functional import lif, lif_step

    spikes, v = lif_step(x, decay=0.9)             # the first step, from rest
    spikes, v = lif_step(x, v, decay=0.9)          # and so on: x [...] and v [...] in, spikes [...] and v [...] out
    spikes_T, v = lif(x_T, decay=0.9)              # a whole sequence x_T [T, ...] at once, which is faster

Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Literal

import torch
from torch import Tensor

from snnlab.kernels import eager
from snnlab.kernels.choose import pick, pick_operator
from snnlab.kernels.contract import Call, Dynamics, is_soft
from snnlab.surrogates.base import Surrogate
from snnlab.surrogates.triangle import Triangle


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
    """Leaky integrate-and-fire over a whole sequence: spikes [T, ...] and the potential [...] after the last step.

        h_t = decay (v_{t-1} - v_reset) + v_reset + x_t       (decay_input: x_t times 1 - decay)
        s_t = 1 if h_t >= threshold else 0
        v_t = v_reset where s_t = 1, else h_t                 (reset hard)
        v_t = h_t - threshold s_t                             (reset soft)

    and backwards ds_t/dh_t = surrogate'(h_t - threshold). decay=1 is a neuron without a leak. Differentiable once, with
    regard to x_T, v, a decay that is a tensor, and what the surrogate learns.

    Args:
        x_T: input currents [T, ...]; the spikes have their dtype.
        v: potential before the first step [...], in float32 (float64 for a float64 input); None: zero.
        decay: part of the potential that survives a step, a number or a scalar tensor [].
        threshold: potential from which on it fires.
        surrogate: gradient of the spike; None: `Triangle()`.
        decay_input: scale the input by 1 - decay.
        reset: "hard" to v_reset, or "soft" by subtracting the threshold.
        v_reset: potential after a hard reset, and the one that the decay pulls to.
        detach_reset: no gradient through the spike in the reset.
        start: number of the first step, from 0, for surrogates that hold something for each step.

    Raises:
        ValueError: no such reset, or v is not shaped like a step of x_T.
    """
    surrogate = Triangle() if surrogate is None else surrogate
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
    """One time step of `lif`: spikes [...] and the next potential [...] of the input x [...] and the potential v [...].

    Steps in a row equal one call of `lif`, whose arguments these are; `start` is the number of this step.

    Raises:
        ValueError: no such reset, or v is not shaped like x.
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


def integrate_and_fire(call: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    """Spikes [T, ...] in the dtype of x_T [T, ...], the potential [...] after the last step, what was measured.

    The arguments are those of `Call`. The adjoint, with g the gradient of what its index names:

        g_{h,t}   = (g_{s,t} + g_{v,t} dv_t/ds_t) surrogate'(h_t - threshold) + g_{v,t} dv_t/dh_t
        g_{x,t}   = gain g_{h,t}
        g_{v,t-1} = decay g_{h,t}
        g_decay   = sum over t of g_{h,t} (v_{t-1} - v_reset), x_t subtracted in the bracket if decay_input

    with dv_t/ds_t = 0 under detach_reset; the derivative of a measurement is added to g_{h,t}. A surrogate with
    parameters is differentiated by autograd, one step at a time. The autograd function is differentiable once.
    """
    compiling = torch.compiler.is_compiling()
    if (chosen := pick_operator(call) if compiling else pick(call)) is not None:
        return chosen.run(call)
    if compiling or not call.surrogate.plain_step:
        return eager.loop(call)
    return eager.recurrence(call)
