"""Batch normalisation fused with a neuron, in Triton: the convolution's output is read once and saved once.

    x[t, n] = (y[t, n] - mean[c]) scale[c] + bias[c] (+ residual[t, n]),  scale = weight / sqrt(var + eps)

with c the channel of element n. With g the gradient of x and sums over the n elements of a channel,

    g_bias = sum g,  g_weight = sum g (y - mean) / sqrt(var + eps)
    g_y    = scale (g - sum g / n - (y - mean) / (var + eps) sum g (y - mean) / n)      for batch statistics
    g_y    = scale g                                                                   for running statistics

The neuron's kernels normalise what they load. Both sums have to be known before the first g_y, so under batch
statistics y is read twice in the backward pass:

    no residual, T up to 16     the kernel runs for the sums only, then again for g_y; g is never in memory
    else                        the kernel stores g (which is also the gradient of the residual) and the sums; then
                                `back_through_norm` computes g_y from g and y
    running statistics          the kernel stores g_y and the sums in one run, unless there is a residual

Partial sums are added for each channel in a fixed order. Shape suffixes: T time steps, C channels, `...` any further
axes.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, KernelForm, Norm
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.arguments import Equations, Inputs, equations_of, inputs_of
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.launcher import compiled_together
from snnlab.kernels.triton.norm_backward import NormBackward
from snnlab.kernels.triton.recurrence import layouts, or_zeros
from snnlab.kernels.triton.statistics import Statistics
from snnlab.triton_language import INTERPRETED


def refusal(call: Call, stepped: bool) -> str | None:
    """Returns the reason why it does not cover a call with a normalisation in front, as a clause; None if it does."""
    if stepped:
        return "the normalisation differs between time steps"
    form = call.dynamics.kernel_form()
    if form is not None and form.statistics is not None:
        return "thresholds depend on all potentials"
    return triton_backend.refusal(call)


def prepare(call: Call, stepped: bool) -> "Prepared | None":
    """Returns what runs a call with a normalisation in front; None if it is not covered, see `refusal`."""
    form = call.dynamics.kernel_form()
    if stepped or form is None:
        return None
    learned_T = call.surrogate.kernel_learned()
    key = "norm", triton_backend.key_of(call, form, learned_T)
    if (plan := call.plans.get(key)) is None:
        if refusal(call, stepped) is not None:
            return None
        plan = NormNeuron(equations_of(call, form))
        call.plans.keep(key, plan)
    return Prepared(plan, form, learned_T)


class Prepared(NamedTuple):
    """A plan, and what has been read of a call's neuron."""

    plan: "NormNeuron"
    form: KernelForm
    learned_T: Tensor | None

    def norm_and_neuron(
        self, call: Call, norm: Norm, residual_T: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the spikes [T, ...] for the normalised call.x_T plus a residual, and mean and variance [C].

        The variance is that of the batch, divided by the count. Calls with a state or a measure are not supported.
        """
        inputs = inputs_of(call, self.form, self.learned_T)
        found: tuple[Tensor, Tensor, Tensor] = _Function.apply(
            self.plan, norm, inputs, norm.weight, norm.bias, residual_T, *inputs
        )
        return found


class NormNeuron:
    """What is worked out once for all calls whose tensors, but for residuals and gradients, are laid out alike."""

    def __init__(self, equations: Equations) -> None:
        self._equations = equations
        self._statistics: dict[float, Statistics] = {}
        self._forward: dict[Hashable, Forward] = {}
        self._backward: dict[Hashable, NormBackward] = {}
        self.compiled: set[Hashable] = set()

    def compile(
        self,
        inputs: Inputs,
        norm: Norm,
        weight: Tensor,
        bias: Tensor,
        residual_T: Tensor | None,
        learns: bool,
    ) -> None:
        """Compiles the kernels of a call together.

        Those of the backward pass are for gradients that are laid out like the spikes, as they usually are.

        Args:
            inputs, norm, weight, bias, residual_T: of the call.
            learns: whether a backward pass follows.
        """
        of_batch = norm.mean is None
        with compiled_together():
            if of_batch:
                table = self.statistics(inputs.x_T, norm.eps)(inputs.x_T, weight, bias)
            else:
                table = weight.new_empty(4, len(weight), dtype=torch.float32)
            spikes_T = self.forward(inputs, table, residual_T)
            if learns:
                backward = self.backward(spikes_T, inputs, residual_T, of_batch)
                backward(spikes_T, inputs, table, weight, bias, residual_T)

    def statistics(self, y_T: Tensor, eps: float) -> Statistics:
        """Returns what computes the statistics of y_T."""
        if (statistics := self._statistics.get(eps)) is None:
            statistics = self._statistics[eps] = Statistics(y_T, eps)
        return statistics

    def forward(self, inputs: Inputs, table: Tensor, residual_T: Tensor | None) -> Tensor:
        """Returns the spikes for mean, scale and bias [3, C] of each channel."""
        key = None if residual_T is None else residual_T.stride()
        if (forward := self._forward.get(key)) is None:
            forward = self._forward[key] = Forward(inputs, self._equations, False, True, residual_T)
        return forward(inputs, table, residual_T)[0]

    def backward(
        self, grad_spikes_T: Tensor, inputs: Inputs, residual_T: Tensor | None, of_batch: bool
    ) -> NormBackward:
        """Returns what computes the gradients of calls whose tensors are laid out like those given."""
        key = (
            layouts(grad_spikes_T, None, inputs, False),
            None if residual_T is None else residual_T.stride(),
            of_batch,
        )
        if (backward := self._backward.get(key)) is None:
            backward = self._backward[key] = NormBackward(
                grad_spikes_T, inputs, self._equations, residual_T, of_batch
            )
        return backward


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        plan: NormNeuron,
        norm: Norm,
        inputs: Inputs,
        weight: Tensor,
        bias: Tensor,
        residual_T: Tensor | None,
        *tensors: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        y_T = inputs.x_T
        weight_C, bias_C = weight.contiguous(), bias.contiguous()
        kind = None if residual_T is None else residual_T.stride(), norm.mean is None
        if kind not in plan.compiled and not INTERPRETED:
            plan.compiled.add(kind)
            plan.compile(inputs, norm, weight_C, bias_C, residual_T, any(ctx.needs_input_grad))
        if norm.mean is None or norm.var is None:
            table = plan.statistics(y_T, norm.eps)(y_T, weight_C, bias_C)
            mean, var = table[0], table[4]
        else:
            mean, var = norm.mean.float(), norm.var.float()
            rate = (var + norm.eps).rsqrt()
            table = torch.stack([mean, weight.float() * rate, bias.float(), rate])
        spikes_T = plan.forward(inputs, table, residual_T)
        ctx.save_for_backward(table, weight, bias, residual_T, *tensors)
        ctx.plan, ctx.of_batch = plan, norm.mean is None
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)
        return spikes_T, mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor | None, *unused: None) -> tuple[Any, ...]:
        table, weight, bias, residual_T, *tensors = ctx.saved_tensors
        inputs = Inputs(*tensors)
        grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
        backward = ctx.plan.backward(grad_spikes_T, inputs, residual_T, ctx.of_batch)
        found = backward(grad_spikes_T, inputs, table, weight, bias, residual_T)
        return (
            None,
            None,
            None,
            found.weight,
            found.bias,
            found.residual_T,
            found.y_T,
            None,
            found.decay_tensor,
            None,
            found.learned_T,
        )
