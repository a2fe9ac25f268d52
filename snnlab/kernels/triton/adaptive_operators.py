"""DS-ATGO in training as a PyTorch operator for torch.compile, `torch.ops.snnlab.adaptive_recurrence`.

Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any

import torch
from torch import Tensor

from snnlab.kernels.triton.adaptive import FAMILY, OPTIONS, AdaptiveForward, Rule
from snnlab.kernels.triton.arguments import Equations, Inputs
from snnlab.kernels.triton.operators import TAGS, differentiate, or_empty, outputs


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
    rule = Rule(threshold, f_c, adaptive_threshold_, adaptive_width, by_deviation)
    spikes_T, state, threshold_width_T = AdaptiveForward(x_T, v, rule, keep_state)(x_T, v, decay_tensor)
    return spikes_T, or_empty(state, x_T), threshold_width_T


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
