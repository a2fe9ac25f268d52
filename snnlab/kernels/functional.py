"""The recurrence of a neuron with one membrane potential as a function, run by the back end that is chosen.

Shape suffixes: T time steps, `...` any further axes.
"""

import torch
from torch import Tensor

from snnlab.kernels import eager
from snnlab.kernels.choose import pick, pick_operator
from snnlab.kernels.contract import Call


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
