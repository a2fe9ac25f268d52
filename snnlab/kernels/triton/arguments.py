"""The tensors and the constants of a call. Shape suffixes: T time steps, `...` any further axes."""

from typing import NamedTuple

from torch import Tensor

from snnlab.kernels.contract import Call, KernelForm
from snnlab.surrogates.base import Surrogate


class Inputs(NamedTuple):
    """The tensors of a call.

    Attributes:
        x_T: input currents [T, ...], float32, float16 or bfloat16, of any strides.
        v: potential before the first step [...], float32; not read if it is one expanded number (all strides 0).
        decay_tensor: a learned decay [], instead of the number `decay`.
        threshold_width_T: threshold and width of each step [2, T], float32, instead of the number `threshold`.
        learned_T: learned parameter of the surrogate for each step [T].
    """

    x_T: Tensor
    v: Tensor
    decay_tensor: Tensor | None
    threshold_width_T: Tensor | None
    learned_T: Tensor | None


class Equations(NamedTuple):
    """The constants of a call.

    The neuron's family and the surrogate are given by name, of a module and a class, so plugins can provide them.

    Attributes:
        decay, decay_input, rest: see `over_time.py`.
        threshold, lower: distances between positive and between negative thresholds.
        family, options: see `KernelForm`.
        surrogate: name of a surrogate's class, see `surrogate_class`.
        up, down: constants of the surrogate for positive and for negative thresholds.
    """

    decay: float
    decay_input: bool
    rest: float
    threshold: float
    lower: float
    family: str
    options: list[int]
    surrogate: str
    up: list[float]
    down: list[float]


def constants(e: Equations) -> tuple[float, float, float, float, float, float]:
    """Returns the numbers decay, gain, pull, rest, threshold and lower of a kernel."""
    gain = 1 - e.decay if e.decay_input else 1.0
    return e.decay, gain, (1 - e.decay) * e.rest, e.rest, e.threshold, e.lower


def inputs_of(call: Call, form: KernelForm, learned_T: Tensor | None) -> Inputs:
    """Returns the tensors of a call, of which kernels read the addresses only.

    Raises:
        ValueError: they are on different devices.
    """
    x_T, v, decay, start = call.x_T, call.v, call.decay, call.start
    end = start + len(x_T)
    threshold_width_T = None
    if form.threshold_width is not None:
        threshold_width_T = form.threshold_width(start, len(x_T)).float().contiguous()
    if learned_T is not None:
        learned_T = learned_T[start:end].contiguous()
    inputs = Inputs(x_T, v, decay if isinstance(decay, Tensor) else None, threshold_width_T, learned_T)
    device = x_T.device
    for tensor in inputs:
        if tensor is not None and tensor.device != device:
            raise ValueError(f"a tensor of the neuron is on {tensor.device}, its input on {device}")
    return inputs


def equations_of(call: Call, form: KernelForm) -> Equations:
    """Returns the constants of a call."""
    dynamics, surrogate = call.dynamics, call.surrogate
    return Equations(
        0.0 if isinstance(call.decay, Tensor) else float(call.decay),
        dynamics.decay_input,
        float(dynamics.v_reset),
        float(form.threshold),
        float(form.lower),
        form.family,
        list(form.options),
        f"{type(surrogate).__module__}.{type(surrogate).__qualname__}",
        list(numbers(surrogate, form.threshold)),
        list(numbers(surrogate, form.lower)),
    )


def numbers(surrogate: Surrogate, threshold: float) -> tuple[float, ...]:
    """Returns the constants of a surrogate at thresholds at this distance."""
    if surrogate.kernel_learned() is None:
        surrogate = surrogate.at(0, threshold)
    return tuple(map(float, surrogate.kernel_numbers()))
