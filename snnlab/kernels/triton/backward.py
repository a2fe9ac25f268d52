"""The backward pass of the recurrence for tensors of one layout: what is worked out once, and the launch.

Shape suffixes: T time steps, `...` any further axes.
"""

import math
from importlib import import_module
from typing import NamedTuple

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton import back_over_time
from snnlab.kernels.triton.arguments import Equations, Inputs, constants
from snnlab.kernels.triton.launcher import Launch
from snnlab.kernels.triton.layout import (
    channel_strides,
    dense_strides,
    laid_out,
    reading,
    repeats,
    step_strides,
    unless_laid_out,
)
from snnlab.surrogates.base import surrogate_class

NOTHING, GRAD_OF_CURRENT, GRAD_OF_INPUT = (
    name.value
    for name in (back_over_time.NOTHING, back_over_time.GRAD_OF_CURRENT, back_over_time.GRAD_OF_INPUT)
)

_BLOCK = 512  # 4 elements per thread: the values of T time steps fit into registers

_PROGRAMS = 1024
"""Programs of a launch that adds up; about as many as fit on a large GPU at once.

The same everywhere, so that sums do not depend on the GPU.
"""


class Gradients(NamedTuple):
    """The results of a backward pass; None where there is nothing to differentiate.

    Attributes:
        x_T, v, decay_tensor, learned_T: gradients of these inputs; with a normalisation, x_T is that of the
            normalised current.
        norm_sums: for a normalisation, partial sums of the gradient of the current, and of its product with
            x_T - mean [2, size], where size is a multiple of the numbers of one sample and their order is the same.
    """

    x_T: Tensor | None
    v: Tensor | None
    decay_tensor: Tensor | None
    learned_T: Tensor | None
    norm_sums: Tensor | None


class Backward:
    """Computes the gradients of calls whose tensors are laid out like those given.

    Args:
        grad_spikes_T: gradient of the spikes [T, ...].
        grad_state: gradient of the last potential [...]; None: zero.
        inputs, equations: tensors and constants of a call. No reference to the tensors is kept.
        keep_grad_v: whether the gradient of v is needed.
        norm, residual_T: as in `Forward`.
        grad_h_T: a gradient that is added to those of the potentials before reset.
        sums: whether gradients that are sums over elements are computed: of decay, surrogate and normalisation.
        writes: which gradient is stored as that of x_T, see `back_over_time.py`.

    Attributes:
        size: number of partial sums of `Gradients.norm_sums`.
    """

    def __init__(
        self,
        grad_spikes_T: Tensor,
        grad_state: Tensor | None,
        inputs: Inputs,
        equations: Equations,
        keep_grad_v: bool,
        norm: bool = False,
        residual_T: Tensor | None = None,
        grad_h_T: Tensor | None = None,
        sums: bool = True,
        writes: int = GRAD_OF_CURRENT,
    ) -> None:
        x_T, v, decay_tensor, threshold_width_T, learned_T = inputs
        steps, count = len(x_T), x_T[0].numel()
        sums = sums and (norm or decay_tensor is not None or learned_T is not None)
        self._steps, self._writes = steps, writes != NOTHING
        self._of_norm = norm and sums
        self._of_decay = sums and decay_tensor is not None
        self._of_learned = sums and learned_T is not None
        self.size = 0
        self._strides = dense_strides(x_T)
        self._of_v0 = step_strides(x_T) if keep_grad_v else None
        self._launch: Launch | None = None
        if not count:
            return
        way, (x_t, g_t), (self._of_x, self._of_grad) = reading(x_T, grad_spikes_T)
        same, of_step = repeats(v), step_strides(x_T)
        self._of_v = None if same else unless_laid_out(v, of_step)
        self._of_residual = None if residual_T is None else unless_laid_out(residual_T, self._strides)
        self._of_grad_state = None if grad_state is None else unless_laid_out(grad_state, of_step)
        self._of_grad_h = None if grad_h_T is None else unless_laid_out(grad_h_T, self._strides)
        held = steps if steps <= back_over_time.MOST_STEPS else back_over_time.SEGMENT
        self._starts, self._count = triton.cdiv(steps, held) - 1, count
        inner, channels = channel_strides(x_T) if norm else (1, 1)
        programs, turns = _shared(count, inner * channels) if sums else (triton.cdiv(count, _BLOCK), 1)
        self._programs, self.size = programs, min(count, programs * _BLOCK)
        self._learned_parts = programs * turns if self._starts else programs
        e = equations
        functions, cls = import_module(e.family), surrogate_class(e.surrogate)
        self._launch = Launch(
            back_over_time.backward,
            (programs,),
            (
                turns,
                self.size,
                steps,
                count,
                *way.inner_sizes(),
                x_t,
                *way.strides_of(0),
                g_t,
                *way.strides_of(1),
                inner,
                channels,
                *constants(e),
            ),
            {
                "FIRE": functions.fire,
                "ADJOINT": functions.adjoint,
                "OPTIONS": tuple(e.options),
                "SLOPE": cls.kernel_gradient,
                "LEARN": None if learned_T is None else cls.kernel_learning,
                "UP": tuple(e.up),
                "DOWN": tuple(e.down),
                "LEARNED_DECAY": decay_tensor is not None,
                "DECAY_INPUT": e.decay_input,
                "PULLS": e.rest != 0,
                "ADAPTIVE": threshold_width_T is not None,
                "SAME": same,
                "HAS_GRAD_STATE": grad_state is not None,
                "HAS_GRAD_H": grad_h_T is not None,
                "KEEP_GRAD_V": keep_grad_v,
                "NORMED": norm,
                "SUMS": sums,
                "WRITES": writes,
                "ADDED": residual_T is not None,
                "STEPS": held,
                "SEGMENTED": self._starts > 0,
                "EVEN": steps % held == 0,
                "RANK": len(way.sizes),
                "BLOCK": _BLOCK,
            },
            x_T.get_device(),
        )

    def __call__(
        self,
        grad_spikes_T: Tensor,
        grad_state: Tensor | None,
        inputs: Inputs,
        norm: Tensor | None = None,
        residual_T: Tensor | None = None,
        grad_h_T: Tensor | None = None,
        terms: Tensor | None = None,
    ) -> Gradients:
        """Returns the gradients of a call.

        Args:
            grad_spikes_T, grad_state, inputs, residual_T, grad_h_T: as in the constructor, with the same layouts.
            norm: the table [3, C] of `Forward`.
            terms: for GRAD_OF_INPUT without sums, the terms [2, C] of `channel_sums`.
        """
        x_T, v, decay_tensor, threshold_width_T, learned_T = inputs
        grad_x_T = x_T.new_empty_strided(x_T.shape, self._strides) if self._writes else None
        grad_v = grad_decay = grad_learned_T = sums = starts = decay_sums = learned_sums = None
        if self._of_v0 is not None:
            grad_v = x_T.new_empty_strided(x_T.shape[1:], self._of_v0, dtype=torch.float32)
        if self._of_norm:
            sums = x_T.new_empty(2, self.size, dtype=torch.float32)
        if self._launch is None:
            grad_decay, grad_learned_T = (
                None if tensor is None else torch.zeros_like(tensor) for tensor in (decay_tensor, learned_T)
            )
            return Gradients(grad_x_T, grad_v, grad_decay, grad_learned_T, sums)
        if self._starts:
            starts = x_T.new_empty(self._starts, self._count, dtype=torch.float32)
        if self._of_decay:
            decay_sums = x_T.new_empty(self._programs, dtype=torch.float32)
        if self._of_learned:
            learned_sums = x_T.new_empty(self._steps, self._learned_parts, dtype=torch.float32)
        x_T = laid_out(x_T, self._of_x)
        # What is absent is not touched; x_T stands in its place.
        self._launch(
            x_T,
            laid_out(v, self._of_v),
            x_T if decay_tensor is None else decay_tensor,
            x_T if threshold_width_T is None else threshold_width_T,
            x_T if learned_T is None else learned_T,
            x_T if norm is None else norm,
            x_T if residual_T is None else laid_out(residual_T, self._of_residual),
            laid_out(grad_spikes_T, self._of_grad),
            x_T if grad_state is None else laid_out(grad_state, self._of_grad_state),
            x_T if grad_h_T is None else laid_out(grad_h_T, self._of_grad_h),
            x_T if starts is None else starts,
            x_T if grad_x_T is None else grad_x_T,
            x_T if grad_v is None else grad_v,
            x_T if decay_sums is None else decay_sums,
            x_T if learned_sums is None else learned_sums,
            x_T if sums is None else sums,
            x_T if terms is None else terms,
        )
        if decay_tensor is not None and decay_sums is not None:
            grad_decay = decay_sums.sum().to(decay_tensor.dtype).view_as(decay_tensor)
        if learned_T is not None and learned_sums is not None:
            grad_learned_T = learned_sums.sum(1).to(learned_T.dtype)
        return Gradients(grad_x_T, grad_v, grad_decay, grad_learned_T, sums)


def _shared(count: int, length: int) -> tuple[int, int]:
    """Returns how many programs share the blocks of a step, and how many blocks each does at most.

    Blocks of one program are a multiple of `length` elements apart.
    """
    blocks = triton.cdiv(count, _BLOCK)
    period = length // math.gcd(length, _BLOCK)
    programs = triton.cdiv(triton.cdiv(blocks, triton.cdiv(blocks, _PROGRAMS)), period) * period
    if programs >= blocks or count + programs * _BLOCK >= 2**31:
        return blocks, 1
    return programs, triton.cdiv(blocks, programs)
