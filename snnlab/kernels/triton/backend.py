"""The back end `triton`: one forward kernel over all time steps and one backward kernel, see `over_time.py`.

It runs on CUDA devices, and on the CPU if TRITON_INTERPRET=1 (slow; for tests). The input, in its own dtype, and the
potential before the first step are saved for the backward pass.
"""

from collections.abc import Hashable
from typing import cast

import torch
from torch import Tensor

from snnlab.kernels.contract import Call, KernelForm, Result
from snnlab.kernels.processes import many_processes
from snnlab.kernels.triton.adaptive import AdaptiveRecurrence, Rule
from snnlab.kernels.triton.adaptive_operators import adaptive_recurrence
from snnlab.kernels.triton.arguments import equations_of, inputs_of
from snnlab.kernels.triton.layout import reach, repeats
from snnlab.kernels.triton.operators import recurrence
from snnlab.kernels.triton.recurrence import Recurrence
from snnlab.kernels.triton.watch import WatchedRecurrence
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import INTERPRETED

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)

Plan = Recurrence | WatchedRecurrence


def refusal(call: Call) -> str | None:
    """Returns the reason why the kernels do not cover a call, as a clause; None if they do."""
    x_T, dynamics, surrogate = call.x_T, call.dynamics, call.surrogate
    if not (x_T.is_cuda or INTERPRETED):
        return f"the input is on the device {x_T.device.type}, not on cuda"
    if x_T.dtype not in _DTYPES or call.v.dtype != torch.float32:
        return f"its arithmetic is in float32, which {x_T.dtype} is not made for".replace("torch.", "")
    if (form := dynamics.kernel_form()) is None:
        return f"there are no kernel functions for the equations {type(dynamics).__name__}"
    if not _has_gradient(type(surrogate)):
        return f"the surrogate {type(surrogate).__name__} has no kernel_gradient"
    if form.statistics is not None and many_processes():
        return "statistics over several processes are taken one step at a time"
    if call.measure is not None and (form.statistics is not None or torch.compiler.is_compiling()):
        return "the membrane potentials are watched, and it keeps none"
    if reach(x_T) >= 2**31:
        return "a time step of the input spans more than 2^31 elements"
    return None


def pays(call: Call) -> bool:
    """Returns True on CUDA, where plain PyTorch launches several kernels for each time step."""
    return call.x_T.is_cuda


def run_planned(call: Call) -> Result | None:
    """Returns the results of `integrate_and_fire` if a call with an equal key has been run; else None."""
    if (form := call.dynamics.kernel_form()) is None:
        return None
    learned_T = call.surrogate.kernel_learned()
    plan = call.plans.get(key_of(call, form, learned_T))
    return None if plan is None else cast(Plan, plan).run(call, form, learned_T)


def run(call: Call) -> Result:
    """Returns the results of `integrate_and_fire`, and keeps what it has worked out for `run_planned`.

    Raises:
        ValueError: the potential has not the shape of a step, or the neuron's tensors are on another device.
    """
    form = call.dynamics.kernel_form()
    assert form is not None
    step, given = [*call.x_T.shape[1:]], [*call.v.shape]
    if step != given and not repeats(call.v):
        raise ValueError(f"the state has the shape {given}, but a step of the input {step}")
    learned_T = call.surrogate.kernel_learned()
    equations = equations_of(call, form)
    plan: Plan
    if form.statistics is not None:
        plan = AdaptiveRecurrence(equations, call.keep_state, _rule(form))
    elif call.measure is not None:
        plan = WatchedRecurrence(equations, call.keep_state)
    else:
        plan = Recurrence(equations, call.keep_state)
    result = plan.run(call, form, learned_T)
    call.plans.keep(key_of(call, form, learned_T), plan)
    return result


def key_of(call: Call, form: KernelForm, learned_T: Tensor | None) -> Hashable:
    """Returns everything that `refusal` and a plan depend on; numbers that may change are read at each call."""
    x_T, v, decay, dynamics, surrogate = call.x_T, call.v, call.decay, call.dynamics, call.surrogate
    _, options, threshold, lower, threshold_width, statistics = form
    if learned_T is None:
        up = surrogate.at(0, threshold).kernel_numbers()
        down = up if lower == threshold else surrogate.at(0, lower).kernel_numbers()
    else:
        up = down = surrogate.kernel_numbers()
    return (
        x_T.shape,
        x_T.stride(),
        x_T.dtype,
        x_T.device,
        v.shape,
        v.stride(),
        v.dtype,
        None if isinstance(decay, Tensor) else float(decay),
        dynamics.decay_input,
        float(dynamics.v_reset),
        form.family,
        tuple(options),
        float(threshold),
        float(lower),
        threshold_width is None,
        None if statistics is None else (*statistics[:4], many_processes()),
        type(surrogate),
        surrogate.plain_step,
        learned_T is None,
        tuple(map(float, up)),
        tuple(map(float, down)),
        call.measure is None,
        call.keep_state,
    )


def run_operator(call: Call) -> Result:
    """Returns the results of `integrate_and_fire` by operators that torch.compile knows."""
    form = call.dynamics.kernel_form()
    assert form is not None
    inputs = inputs_of(call, form, call.surrogate.kernel_learned())
    equations = equations_of(call, form)
    if form.statistics is None:
        return *recurrence(*inputs, *equations, call.keep_state), None
    assert inputs.decay_tensor is not None
    x_T, v, decay_tensor, _, learned_T = inputs
    spikes_T, state, threshold_width_T = adaptive_recurrence(
        x_T, v, decay_tensor, learned_T, *_rule(form), equations.surrogate, equations.up, call.keep_state
    )
    form.statistics.decided(call.start, threshold_width_T)
    return spikes_T, state, None


def _rule(form: KernelForm) -> Rule:
    assert form.statistics is not None
    return Rule(form.threshold, *form.statistics[:4])


def _has_gradient(cls: type[Surrogate]) -> bool:
    """Returns whether a class has a kernel gradient that a subclass has not made stale by overriding `gradient`."""
    for base in cls.__mro__:
        if "kernel_gradient" in vars(base):
            return base.kernel_gradient is not None  # type: ignore[attr-defined]
        if "gradient" in vars(base) or "forward" in vars(base):
            return False
    return False
