"""DS-ATGO in training as a PyTorch operator, `torch.ops.snnlab.adaptive_recurrence`: see `adaptive_threshold.py`.

Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any

import torch
import triton
from torch import Tensor

from snnlab.kernels.triton.families import adaptive_threshold, integrate_and_fire
from snnlab.kernels.triton.launch import Equations, Inputs, outputs, readable
from snnlab.kernels.triton.layout import repeats, step_in_order
from snnlab.kernels.triton.operators import TAGS, differentiate

FAMILY = "snnlab.kernels.triton.families.integrate_and_fire"
OPTIONS = (0, 0, 1)  # hard reset, not detached, with surrogate widths
_BLOCK = 1024


@torch.library.custom_op("snnlab::adaptive_recurrence", mutates_args=(), tags=TAGS)
def adaptive_recurrence(
    x_T: Tensor,
    v: Tensor,
    decay_tensor: Tensor,
    learned_T: Tensor | None,
    threshold: float,
    f_c: float,
    adaptive_threshold_: bool,
    adaptive_width: bool,
    by_deviation: bool,
    surrogate: str,
    numbers: list[float],
    keep_state: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns spikes [T, ...], the last potential [...], and threshold and width of each step [2, T] in float32.

    Args:
        x_T, v, learned_T, surrogate, keep_state: as in `recurrence`.
        decay_tensor: the learned decay [].
        threshold: V_th, which the width is computed against.
        f_c: factor of the adaptive threshold.
        adaptive_threshold_, adaptive_width: if False, the threshold is `threshold` and the width 1.
        by_deviation: whether widths follow the standard deviation rather than the threshold.
        numbers: constants of the surrogate.
    """
    spikes_T, state = outputs(x_T, keep_state)
    steps, count = len(x_T), x_T[0].numel()
    threshold_width_T = x_T.new_empty(2, steps, dtype=torch.float32)
    if not count:
        return spikes_T, state, threshold_width_T.fill_(threshold)
    (x_T,), way = readable(x_T)
    programs = triton.cdiv(count, _BLOCK)
    h = x_T.new_empty(count, dtype=torch.float32)
    parts = x_T.new_empty(programs, 2, dtype=torch.float32)
    start = v if repeats(v) else step_in_order(v, x_T)
    with torch.cuda.device_of(x_T):  # type: ignore[no-untyped-call]
        for t in range(steps + 1):
            adaptive_threshold.charge[(programs,)](
                x_T[min(t, steps - 1)],
                start,
                decay_tensor,
                threshold_width_T,
                h,
                spikes_T[max(t - 1, 0)],
                state,
                parts,
                t,
                count,
                *way.inner_sizes(),
                *way.strides_of(0),
                FIRE=integrate_and_fire.fire,
                OPTIONS=OPTIONS,
                SAME=repeats(v),
                FIRST=t == 0,
                LAST=t == steps,
                KEEP_STATE=keep_state,
                RANK=len(way.sizes),
                BLOCK=_BLOCK,
                num_warps=4,
                enable_fp_fusion=False,
            )
            if t < steps:
                adaptive_threshold.decide[(1,)](
                    parts,
                    threshold_width_T,
                    t,
                    steps,
                    count,
                    programs,
                    f_c,
                    threshold,
                    ADAPTIVE_THRESHOLD=adaptive_threshold_,
                    ADAPTIVE_WIDTH=adaptive_width,
                    BY_DEVIATION=by_deviation,
                    PART=_BLOCK,
                    BLOCK=_BLOCK,
                    num_warps=4,
                    enable_fp_fusion=False,
                )
    return spikes_T, state, threshold_width_T


@adaptive_recurrence.register_fake
def _(x_T: Tensor, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    return *outputs(x_T, arguments[-1]), x_T.new_empty(2, len(x_T), dtype=torch.float32)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    x_T, v, decay_tensor, learned_T, threshold, *_, surrogate, numbers, _ = inputs
    ctx.save_for_backward(*Inputs(x_T, v, decay_tensor, output[2], learned_T))
    ctx.mark_non_differentiable(output[2])
    ctx.set_materialize_grads(False)
    ctx.unused = len(inputs) - 4
    ctx.equations = Equations(
        decay=0.0,
        decay_input=False,
        rest=0.0,
        threshold=threshold,
        lower=threshold,
        family=FAMILY,
        options=list(OPTIONS),
        surrogate=surrogate,
        up=numbers,
        down=numbers,
    )


def _backward(
    ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None, grad_threshold_width_T: None
) -> tuple[Tensor | None, ...]:
    inputs, wanted = Inputs(*ctx.saved_tensors), ctx.needs_input_grad[1]
    found = differentiate(grad_spikes_T, grad_state, inputs, ctx.equations, wanted)
    return *found[:3], found[4], *(None for _ in range(ctx.unused))


adaptive_recurrence.register_autograd(_backward, setup_context=_setup_context)
