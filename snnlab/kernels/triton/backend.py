"""The back end `triton`: one forward kernel over all time steps and one backward kernel, see `over_time.py`.

It runs on CUDA devices, and on the CPU if TRITON_INTERPRET=1 (slow; for tests). The input, in its own dtype, and the
potential before the first step are saved for the backward pass.
"""

import torch
from torch import Tensor

from snnlab.kernels.contract import Call
from snnlab.kernels.processes import many_processes
from snnlab.kernels.triton.adaptive_operators import adaptive_recurrence
from snnlab.kernels.triton.launch import Equations, Inputs
from snnlab.kernels.triton.layout import reach
from snnlab.kernels.triton.operators import recurrence
from snnlab.surrogates.base import Surrogate
from snnlab.triton_language import INTERPRETED

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


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


def run(call: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    """Returns the results of `integrate_and_fire`."""
    form = call.dynamics.kernel_form()
    assert form is not None
    if form.statistics is not None:
        assert isinstance(call.decay, Tensor)
        surrogate = call.surrogate
        f_c, adaptive, width, by_deviation, decided, _ = form.statistics
        spikes_T, v, threshold_width_T = adaptive_recurrence(
            call.x_T,
            call.v,
            call.decay,
            _learned(call),
            form.threshold,
            f_c,
            adaptive,
            width,
            by_deviation,
            f"{type(surrogate).__module__}.{type(surrogate).__qualname__}",
            _numbers(surrogate, form.threshold),
            call.keep_state,
        )
        decided(call.start, threshold_width_T)
        return spikes_T, v, None
    inputs, equations = arguments(call)
    if call.measure is not None:
        from snnlab.kernels.triton.watch import WatchedRecurrence

        watched: tuple[Tensor, Tensor, Tensor | None] = WatchedRecurrence.apply(
            *inputs, equations, call.keep_state, call.measure
        )
        return watched
    spikes_T, v = recurrence(*inputs, *equations, call.keep_state)
    return spikes_T, v, None


def arguments(call: Call) -> tuple[Inputs, Equations]:
    """Returns the arguments of the operator `recurrence`."""
    dynamics, surrogate, steps = call.dynamics, call.surrogate, len(call.x_T)
    form = dynamics.kernel_form()
    assert form is not None
    learned, decay = (call.decay, 0.0) if isinstance(call.decay, Tensor) else (None, call.decay)
    equations = Equations(
        decay,
        dynamics.decay_input,
        float(dynamics.v_reset),
        float(form.threshold),
        float(form.lower),
        form.family,
        list(form.options),
        f"{type(surrogate).__module__}.{type(surrogate).__qualname__}",
        _numbers(surrogate, form.threshold),
        _numbers(surrogate, form.lower),
    )
    threshold_width_T = (
        None if form.threshold_width is None else form.threshold_width(call.start, steps).float()
    )
    return Inputs(call.x_T, call.v, learned, threshold_width_T, _learned(call)), equations


def _learned(call: Call) -> Tensor | None:
    learned_T = call.surrogate.kernel_learned()
    return None if learned_T is None else learned_T[call.start : call.start + len(call.x_T)]


def _numbers(surrogate: Surrogate, threshold: float) -> list[float]:
    at = surrogate if surrogate.kernel_learned() is not None else surrogate.at(0, threshold)
    return [float(number) for number in at.kernel_numbers()]


def _has_gradient(cls: type[Surrogate]) -> bool:
    """Returns whether a class has a kernel gradient that a subclass has not made stale by overriding `gradient`."""
    for base in cls.__mro__:
        if "kernel_gradient" in vars(base):
            return base.kernel_gradient is not None  # type: ignore[attr-defined]
        if "gradient" in vars(base) or "forward" in vars(base):
            return False
    return False
