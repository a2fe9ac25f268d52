"""The forward pass of the recurrence for tensors of one layout: what is worked out once, and the launch.

Shape suffixes: T time steps, `...` any further axes.
"""

from importlib import import_module

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton import over_time
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


class Forward:
    """Computes spikes and the last potential of calls whose tensors are laid out like those given.

    Args:
        inputs, equations: tensors and constants of a call. No reference to the tensors is kept.
        keep_state: whether the last potential is written.
        norm: whether x_T [T, B, C, ...] is normalised before it is the input current.
        residual_T: a residual that is added to the normalised current.
        keep_h: whether all potentials before reset are written.
    """

    def __init__(
        self,
        inputs: Inputs,
        equations: Equations,
        keep_state: bool,
        norm: bool = False,
        residual_T: Tensor | None = None,
        keep_h: bool = False,
    ) -> None:
        x_T, v, decay_tensor, threshold_width_T, _ = inputs
        self._strides = dense_strides(x_T)
        self._of_state = step_strides(x_T) if keep_state else None
        self._launch: Launch | None = None
        count = x_T[0].numel()
        if not count:
            return
        way, (x_t,), (self._of_x,) = reading(x_T)
        same = repeats(v)
        self._of_v = None if same else unless_laid_out(v, step_strides(x_T))
        self._of_residual = None if residual_T is None else unless_laid_out(residual_T, self._strides)
        e, block = equations, 16 // x_T.element_size() * 128  # 16 bytes per load of a thread, four warps
        self._launch = Launch(
            over_time.forward,
            (triton.cdiv(count, block),),
            (
                len(x_T),
                count,
                *way.inner_sizes(),
                x_t,
                *way.strides_of(0),
                *(channel_strides(x_T) if norm else (1, 1)),
                *constants(e),
            ),
            {
                "FIRE": import_module(e.family).fire,
                "OPTIONS": tuple(e.options),
                "LEARNED_DECAY": decay_tensor is not None,
                "DECAY_INPUT": e.decay_input,
                "PULLS": e.rest != 0,
                "ADAPTIVE": threshold_width_T is not None,
                "SAME": same,
                "KEEP_STATE": keep_state,
                "KEEP_H": keep_h,
                "NORMED": norm,
                "ADDED": residual_T is not None,
                "RANK": len(way.sizes),
                "BLOCK": block,
            },
            x_T.get_device(),
        )

    def __call__(
        self,
        inputs: Inputs,
        norm: Tensor | None = None,
        residual_T: Tensor | None = None,
        h_T: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Returns spikes [T, ...] in x_T's dtype and order of axes, and the last potential [...] if it is kept.

        Args:
            inputs: tensors of the call.
            norm: mean, scale and bias [3, C] of each channel.
            residual_T: the residual [T, ...].
            h_T: buffer for all potentials before reset; float32, without gaps, in x_T's order of axes.
        """
        x_T, v, decay_tensor, threshold_width_T, _ = inputs
        spikes_T = x_T.new_empty_strided(x_T.shape, self._strides)
        state = None
        if self._of_state is not None:
            state = x_T.new_empty_strided(x_T.shape[1:], self._of_state, dtype=torch.float32)
        if self._launch is not None:
            x_T = laid_out(x_T, self._of_x)
            # What is absent is not read; x_T stands in its place.
            self._launch(
                x_T,
                laid_out(v, self._of_v),
                x_T if decay_tensor is None else decay_tensor,
                x_T if threshold_width_T is None else threshold_width_T,
                x_T if norm is None else norm,
                x_T if residual_T is None else laid_out(residual_T, self._of_residual),
                spikes_T,
                x_T if state is None else state,
                x_T if h_T is None else h_T,
            )
        return spikes_T, state
