"""DS-ATGO in training: the forward pass for tensors of one layout, and the autograd function.

The kernels are in `families/adaptive_threshold.py`; the backward pass is that of all neurons, at the thresholds and
widths of the forward pass. Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, KernelForm
from snnlab.kernels.triton.arguments import Equations, Inputs, inputs_of
from snnlab.kernels.triton.families import adaptive_threshold, integrate_and_fire
from snnlab.kernels.triton.launcher import Launch, compiled_together
from snnlab.kernels.triton.layout import (
    dense_strides,
    laid_out,
    reading,
    repeats,
    step_strides,
    unless_laid_out,
)
from snnlab.kernels.triton.recurrence import Recurrence, needs_gradient, or_zeros
from snnlab.triton_language import INTERPRETED

FAMILY = "snnlab.kernels.triton.families.integrate_and_fire"
OPTIONS = (0, 0, 1)  # hard reset, not detached, with surrogate widths
_BLOCK = 1024

_PARTS = 1024
"""Most programs of a launch: each reads the parts of all others, and about as many run at once on a large GPU."""


class Rule(NamedTuple):
    """How threshold and width follow from the potentials.

    Attributes:
        threshold: V_th, which the width is computed against.
        f_c: factor of the adaptive threshold.
        adaptive_threshold, adaptive_width: if False, the threshold is `threshold` and the width 1.
        by_deviation: whether widths follow the standard deviation rather than the threshold.
    """

    threshold: float
    f_c: float
    adaptive_threshold: bool
    adaptive_width: bool
    by_deviation: bool


class AdaptiveForward:
    """Computes spikes, the last potential, thresholds and widths of calls whose tensors are laid out like those given.

    Args:
        x_T, v: tensors of a call. No reference to them is kept.
        rule: thresholds and widths.
        keep_state: whether the last potential is written.
    """

    def __init__(self, x_T: Tensor, v: Tensor, rule: Rule, keep_state: bool) -> None:
        self._rule = rule
        self._strides = dense_strides(x_T)
        self._of_state = step_strides(x_T) if keep_state else None
        self._count = count = x_T[0].numel()
        if not count:
            return
        way, _, (self._of_x,) = reading(x_T)
        same = repeats(v)
        self._of_v = None if same else unless_laid_out(v, step_strides(x_T))
        blocks = triton.cdiv(count, _BLOCK)
        turns = triton.cdiv(blocks, _PARTS)
        self._programs = programs = triton.cdiv(blocks, turns)
        steps = len(x_T)
        self._charge = [
            Launch(
                adaptive_threshold.charge,
                (programs,),
                (
                    steps,
                    count,
                    programs,
                    turns,
                    *way.inner_sizes(),
                    *way.strides_of(0),
                    rule.f_c,
                    rule.threshold,
                ),
                {
                    "ADAPTIVE_THRESHOLD": rule.adaptive_threshold,
                    "ADAPTIVE_WIDTH": rule.adaptive_width,
                    "BY_DEVIATION": rule.by_deviation,
                    "FIRE": integrate_and_fire.fire,
                    "OPTIONS": OPTIONS,
                    "SAME": same,
                    "FIRST": t == 0,
                    "SECOND": t == 1,
                    "LAST": t == steps,
                    "KEEP_STATE": keep_state,
                    "RANK": len(way.sizes),
                    "PARTS": _PARTS,
                    "BLOCK": _BLOCK,
                },
                x_T.get_device(),
            )
            for t in sorted({0, 1, min(2, steps), steps})
        ]

    def __call__(self, x_T: Tensor, v: Tensor, decay_tensor: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Returns spikes [T, ...], the last potential [...], and threshold and width of each step [2, T] in float32."""
        spikes_T, state = x_T.new_empty_strided(x_T.shape, self._strides), None
        if self._of_state is not None:
            state = x_T.new_empty_strided(x_T.shape[1:], self._of_state, dtype=torch.float32)
        steps = len(x_T)
        threshold_width_T = x_T.new_empty(2, steps, dtype=torch.float32)
        if not self._count:
            return spikes_T, state, threshold_width_T.fill_(self._rule.threshold)
        x_T, v = laid_out(x_T, self._of_x), laid_out(v, self._of_v)
        h = x_T.new_empty(self._count, dtype=torch.float32)
        parts = x_T.new_empty(2, 3, self._programs, dtype=torch.float32)
        inputs, outputs = x_T.unbind(0), spikes_T.unbind(0)
        for t in range(steps + 1):
            self._charge[-1 if t == steps else min(t, 2)](
                inputs[min(t, steps - 1)],
                inputs[max(t - 1, 0)],
                v,
                decay_tensor,
                threshold_width_T,
                h,
                outputs[max(t - 1, 0)],
                h if state is None else state,
                parts,
                step=t,
            )
        return spikes_T, state, threshold_width_T


class AdaptiveRecurrence(Recurrence):
    """`Recurrence` for calls whose thresholds and widths are computed from the potentials."""

    def __init__(self, equations: Equations, keep_state: bool, rule: Rule) -> None:
        super().__init__(equations, keep_state)
        self._rule = rule
        self._adaptive: AdaptiveForward | None = None

    def run(
        self, call: Call, form: KernelForm, learned_T: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        inputs = inputs_of(call, form, learned_T)
        learns = torch.is_grad_enabled() and needs_gradient(inputs)
        if self._adaptive is None and not INTERPRETED:
            self._compile(inputs, learns)
        if learns:
            spikes_T, state, threshold_width_T = _Function.apply(self, inputs, *inputs)
        else:
            spikes_T, state, threshold_width_T = self.fire(inputs)
        assert form.statistics is not None
        form.statistics.decided(call.start, threshold_width_T)
        return spikes_T, call.v if state is None else state, None

    def _compile(self, inputs: Inputs, learns: bool) -> None:
        with compiled_together(), torch.no_grad():
            spikes_T, state, threshold_width_T = self.fire(inputs)
            if learns:
                inputs = inputs._replace(threshold_width_T=threshold_width_T)
                self.backward(spikes_T, state, inputs, inputs.v.requires_grad)

    def fire(self, inputs: Inputs) -> tuple[Tensor, Tensor | None, Tensor]:
        """Returns the results of `AdaptiveForward`."""
        x_T, v, decay_tensor = inputs[:3]
        assert decay_tensor is not None
        if self._adaptive is None:
            self._adaptive = AdaptiveForward(x_T, v, self._rule, self._keep_state)
        return self._adaptive(x_T, v, decay_tensor)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, plan: AdaptiveRecurrence, inputs: Inputs, *tensors: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        spikes_T, state, threshold_width_T = plan.fire(inputs)
        ctx.plan = plan
        ctx.save_for_backward(*inputs._replace(threshold_width_T=threshold_width_T))
        ctx.mark_non_differentiable(threshold_width_T)
        ctx.set_materialize_grads(False)
        return spikes_T, state, threshold_width_T

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None, _: None
    ) -> tuple[Any, ...]:
        inputs = Inputs(*ctx.saved_tensors)
        grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
        found = ctx.plan.backward(grad_spikes_T, grad_state, inputs, ctx.needs_input_grad[3])
        return None, None, found.x_T, found.v, found.decay_tensor, None, found.learned_T
