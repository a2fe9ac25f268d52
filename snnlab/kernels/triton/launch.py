"""Launches the forward and the backward kernel of the recurrence on tensors of any strides.

Shape suffixes: T time steps, `...` any further axes.
"""

from importlib import import_module
from typing import NamedTuple

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton import back_over_time, over_time
from snnlab.kernels.triton.layout import (
    MAX_RANK,
    Walk,
    channel_strides,
    dense_strides,
    in_order,
    reach,
    repeats,
    step_in_order,
    step_strides,
    walk,
)
from snnlab.surrogates.base import surrogate_class

_BACKWARD_BLOCK = 512  # 4 elements per thread: the values of T time steps fit into registers


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


def forward(
    inputs: Inputs,
    equations: Equations,
    keep_state: bool,
    norm: Tensor | None = None,
    residual_T: Tensor | None = None,
    h_T: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Returns spikes [T, ...] in the dtype and order of axes of x_T [T, ...], and the last potential [...].

    Args:
        inputs, equations: tensors and constants of the call.
        keep_state: if False, the last potential is not written and an empty tensor is returned in its place.
        norm: mean, scale and bias [3, C] of each channel of x_T [T, B, C, ...]; None: x_T is the input current.
        residual_T: residual that is added to the normalised current.
        h_T: buffer for all potentials before reset; float32, without gaps, in x_T's order of axes.
    """
    x_T, v, decay_tensor, threshold_width_T, _ = inputs
    spikes_T, state = outputs(x_T, keep_state)
    count = x_T[0].numel()
    if not count:
        return spikes_T, state
    e = equations
    inner, channels = channel_strides(x_T) if norm is not None else (1, 1)
    (x_T,), way = readable(x_T)
    functions = import_module(e.family)
    block = 16 // x_T.element_size() * 128  # 16 bytes per load of a thread, four warps
    with torch.cuda.device_of(x_T):  # type: ignore[no-untyped-call]
        over_time.forward[(triton.cdiv(count, block),)](
            x_T,
            v if repeats(v) else step_in_order(v, x_T),
            x_T if decay_tensor is None else decay_tensor,
            x_T if threshold_width_T is None else threshold_width_T,
            x_T if norm is None else norm,
            x_T if residual_T is None else in_order(residual_T, x_T),
            spikes_T,
            state,
            x_T if h_T is None else h_T,
            len(x_T),
            count,
            *way.inner_sizes(),
            x_T.stride(0),
            *way.strides_of(0),
            inner,
            channels,
            *_constants(e),
            e.threshold,
            e.lower,
            FIRE=functions.fire,
            OPTIONS=tuple(e.options),
            LEARNED_DECAY=decay_tensor is not None,
            DECAY_INPUT=e.decay_input,
            PULLS=e.rest != 0,
            ADAPTIVE=threshold_width_T is not None,
            SAME=repeats(v),
            KEEP_STATE=keep_state,
            KEEP_H=h_T is not None,
            NORMED=norm is not None,
            ADDED=residual_T is not None,
            RANK=len(way.sizes),
            BLOCK=block,
            num_warps=4,
            enable_fp_fusion=False,
        )
    return spikes_T, state


def outputs(x_T: Tensor, keep_state: bool) -> tuple[Tensor, Tensor]:
    """Allocates spikes [T, ...] and the last potential [...] in x_T's order of axes; empty if not kept."""
    return x_T.new_empty_strided(x_T.shape, dense_strides(x_T)), _like_step(x_T, keep_state)


def backward(
    grad_spikes_T: Tensor,
    grad_state: Tensor | None,
    inputs: Inputs,
    equations: Equations,
    keep_grad_v: bool,
    norm: Tensor | None = None,
    residual_T: Tensor | None = None,
    grad_h_T: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Returns the gradients of x_T, v, decay_tensor and learned_T (empty if absent), and the sums for a norm.

    With `norm` the first result is the gradient of the normalised current, and the sums [2, N] are those over time of
    this gradient and of its product with x_T - mean.

    Args:
        grad_spikes_T: gradient of the spikes [T, ...], of any strides.
        grad_state: gradient of the last potential [...]; None: zero.
        inputs, equations, norm, residual_T: as in `forward`.
        keep_grad_v: whether the gradient of v is needed.
        grad_h_T: added to the gradient of the potentials before reset.
    """
    x_T, v, decay_tensor, threshold_width_T, learned_T = inputs
    grad_x_T, grad_v, grad_decay, grad_learned_T = empty_gradients(inputs, keep_grad_v)
    steps, count = len(x_T), x_T[0].numel()
    norm_sums = x_T.new_empty(2, count if norm is not None else 0, dtype=torch.float32)
    if not count:
        return grad_x_T, grad_v, grad_decay.zero_(), grad_learned_T.zero_(), norm_sums
    e = equations
    inner, channels = channel_strides(x_T) if norm is not None else (1, 1)
    (x_T, grad_spikes_T), way = readable(x_T, grad_spikes_T)
    programs = triton.cdiv(count, _BACKWARD_BLOCK)
    held = steps if steps <= back_over_time.MOST_STEPS else back_over_time.SEGMENT
    segments = triton.cdiv(steps, held)
    starts = x_T.new_empty(segments - 1, count, dtype=torch.float32)
    decay_sums = x_T.new_empty(programs if decay_tensor is not None else 0, dtype=torch.float32)
    learned_sums = x_T.new_empty(steps if learned_T is not None else 0, programs, dtype=torch.float32)
    functions, cls = import_module(e.family), surrogate_class(e.surrogate)
    with torch.cuda.device_of(x_T):  # type: ignore[no-untyped-call]
        back_over_time.backward[(programs,)](
            x_T,
            v if repeats(v) else step_in_order(v, x_T),
            x_T if decay_tensor is None else decay_tensor,
            x_T if threshold_width_T is None else threshold_width_T,
            x_T if learned_T is None else learned_T,
            x_T if norm is None else norm,
            x_T if residual_T is None else in_order(residual_T, x_T),
            grad_spikes_T,
            x_T if grad_state is None else step_in_order(grad_state, x_T),
            x_T if grad_h_T is None else in_order(grad_h_T, x_T),
            starts,
            grad_x_T,
            grad_v,
            decay_sums,
            learned_sums,
            norm_sums,
            steps,
            count,
            *way.inner_sizes(),
            x_T.stride(0),
            *way.strides_of(0),
            grad_spikes_T.stride(0),
            *way.strides_of(1),
            inner,
            channels,
            *_constants(e),
            e.threshold,
            e.lower,
            FIRE=functions.fire,
            ADJOINT=functions.adjoint,
            OPTIONS=tuple(e.options),
            SLOPE=cls.kernel_gradient,
            LEARN=None if learned_T is None else cls.kernel_learning,
            UP=tuple(e.up),
            DOWN=tuple(e.down),
            LEARNED_DECAY=decay_tensor is not None,
            DECAY_INPUT=e.decay_input,
            PULLS=e.rest != 0,
            ADAPTIVE=threshold_width_T is not None,
            SAME=repeats(v),
            HAS_GRAD_STATE=grad_state is not None,
            HAS_GRAD_H=grad_h_T is not None,
            KEEP_GRAD_V=keep_grad_v,
            NORMED=norm is not None,
            ADDED=residual_T is not None,
            STEPS=held,
            SEGMENTED=segments > 1,
            EVEN=steps % held == 0,
            RANK=len(way.sizes),
            BLOCK=_BACKWARD_BLOCK,
            num_warps=4,
            enable_fp_fusion=False,
        )
    if decay_tensor is not None:
        grad_decay.copy_(decay_sums.sum())
    if learned_T is not None:
        grad_learned_T.copy_(learned_sums.sum(1))
    return grad_x_T, grad_v, grad_decay, grad_learned_T, norm_sums


def empty_gradients(inputs: Inputs, keep_grad_v: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Allocates the gradients of x_T, v, decay_tensor and learned_T; empty for a tensor that is absent."""
    x_T = inputs.x_T
    grad_x_T, grad_v = outputs(x_T, keep_grad_v)
    grad_decay, grad_learned_T = (
        x_T.new_empty(0) if tensor is None else torch.empty_like(tensor)
        for tensor in (inputs.decay_tensor, inputs.learned_T)
    )
    return grad_x_T, grad_v, grad_decay, grad_learned_T


def in_order_of_inputs(
    inputs: Inputs, gradients: tuple[Tensor, Tensor, Tensor, Tensor], keep_grad_v: bool
) -> tuple[Tensor | None, ...]:
    """Returns the first four results of `backward` as gradients of the fields of `Inputs`; None for those without."""
    grad_x_T, grad_v, grad_decay, grad_learned_T = gradients
    return (
        grad_x_T,
        grad_v if keep_grad_v else None,
        None if inputs.decay_tensor is None else grad_decay,
        None,
        None if inputs.learned_T is None else grad_learned_T,
    )


def or_zeros(grad_spikes_T: Tensor | None, x_T: Tensor) -> Tensor:
    """Returns the gradient of the spikes, zero if it is None."""
    return x_T.new_zeros(()).expand(x_T.shape) if grad_spikes_T is None else grad_spikes_T


def _like_step(x_T: Tensor, wanted: bool) -> Tensor:
    """Allocates a potential [...] in x_T's order of axes; empty if it is not needed."""
    if not wanted:
        return x_T.new_empty(0, dtype=torch.float32)
    return x_T.new_empty_strided(x_T.shape[1:], step_strides(x_T), dtype=torch.float32)


def readable(*tensors_T: Tensor) -> tuple[list[Tensor], Walk]:
    """Returns the tensors and their `Walk`; the tensors are copied if it has too many axes or spans too much memory."""
    way = walk(*tensors_T)
    tensors = list(tensors_T)
    if len(way.sizes) > MAX_RANK or max(map(reach, tensors)) >= 2**31:
        tensors = [in_order(tensor, tensors[0]) for tensor in tensors]
        way = walk(*tensors)
    return tensors, way


def _constants(e: Equations) -> tuple[float, float, float, float]:
    return e.decay, 1 - e.decay if e.decay_input else 1.0, (1 - e.decay) * e.rest, e.rest
