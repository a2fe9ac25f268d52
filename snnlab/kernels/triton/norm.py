"""Batch normalisation fused with a neuron, in Triton: the convolution's output is read once and saved once.

    x[t, n] = (y[t, n] - mean[c]) scale[c] + bias[c] (+ residual[t, n]),  scale = weight / sqrt(var + eps)

with c the channel of element n. With g the gradient of x and sums over the n elements of a channel,

    g_bias = sum g,  g_weight = sum g (y - mean) / sqrt(var + eps)
    g_y    = scale (g - sum g / n - (y - mean) / (var + eps) sum g (y - mean) / n)      for batch statistics
    g_y    = scale g                                                                   for running statistics

The neuron's kernels normalise what they load. In the backward pass they store the sums over time of each element,
which are added for each channel in a fixed order; one more launch backpropagates g through the statistics. Shape
suffixes: T time steps, C channels, `...` any further axes.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, KernelForm, Norm
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.arguments import Equations, Inputs, equations_of, inputs_of
from snnlab.kernels.triton.backward import Backward, Gradients
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.launcher import Launch
from snnlab.kernels.triton.layout import channel_strides, laid_out, reading
from snnlab.kernels.triton.recurrence import layouts, or_zeros
from snnlab.kernels.triton.through_norm import back_through_norm

_BLOCK = 1024


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
        self._forward: dict[Hashable, Forward] = {}
        self._backward: dict[Hashable, Backward] = {}
        self._through_norm: dict[Hashable, ThroughNorm] = {}

    def forward(self, inputs: Inputs, table: Tensor, residual_T: Tensor | None) -> Tensor:
        """Returns the spikes for mean, scale and bias [3, C] of each channel."""
        key = None if residual_T is None else residual_T.stride()
        if (forward := self._forward.get(key)) is None:
            forward = self._forward[key] = Forward(inputs, self._equations, False, True, residual_T)
        return forward(inputs, table, residual_T)[0]

    def backward(
        self, grad_spikes_T: Tensor, inputs: Inputs, table: Tensor, residual_T: Tensor | None
    ) -> Gradients:
        key = (
            layouts(grad_spikes_T, None, inputs, False),
            None if residual_T is None else residual_T.stride(),
        )
        if (backward := self._backward.get(key)) is None:
            backward = self._backward[key] = Backward(
                grad_spikes_T, None, inputs, self._equations, False, True, residual_T
            )
        return backward(grad_spikes_T, None, inputs, table, residual_T)

    def through_norm(self, y_T: Tensor) -> "ThroughNorm":
        """Returns what goes back through the normalisation of y_T."""
        key = y_T.stride(), y_T.dtype, y_T.device
        if (through := self._through_norm.get(key)) is None:
            through = self._through_norm[key] = ThroughNorm(y_T)
        return through


class ThroughNorm:
    """Computes the gradient before a normalisation from that behind it, for tensors laid out like y_T [T, B, C, ...].

    Attributes:
        inner: stride of the channels in a step without gaps.
        channels: their number.
    """

    def __init__(self, y_T: Tensor) -> None:
        way, (y_t,), (self._of_y,) = reading(y_T)
        count = y_T[0].numel()
        self.inner, self.channels = channel_strides(y_T)
        self._launch = Launch(
            back_through_norm,
            (triton.cdiv(count, _BLOCK), y_T.shape[0]),
            (count, *way.inner_sizes(), y_t, *way.strides_of(0), self.inner, self.channels),
            {"RANK": len(way.sizes), "BLOCK": _BLOCK},
            y_T.get_device(),
        )

    def __call__(self, grad_x_T: Tensor, y_T: Tensor, table: Tensor, terms: Tensor, grad_y_T: Tensor) -> None:
        """Writes grad_y_T from grad_x_T; terms [2, C] are those of `back_through_norm`."""
        self._launch(grad_x_T, laid_out(y_T, self._of_y), table, terms, grad_y_T)


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
        if norm.mean is None or norm.var is None:
            mean, var = _moments(y_T, norm.eps)
        else:
            mean, var = norm.mean.float(), norm.var.float()
        rate = (var + norm.eps).rsqrt()
        table = torch.stack([mean, weight.float() * rate, bias.float()])
        spikes_T = plan.forward(inputs, table, residual_T)
        ctx.save_for_backward(table, rate, residual_T, *tensors)
        ctx.plan, ctx.of_batch = plan, norm.mean is None
        ctx.dtypes = weight.dtype, bias.dtype
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)
        return spikes_T, mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor | None, *unused: None) -> tuple[Any, ...]:
        table, rate, residual_T, *tensors = ctx.saved_tensors
        inputs, plan = Inputs(*tensors), ctx.plan
        y_T = inputs.x_T
        found = plan.backward(or_zeros(grad_spikes_T, y_T), inputs, table, residual_T)
        through = plan.through_norm(y_T)
        totals = found.norm_sums.view(2, -1, through.channels, through.inner).sum((1, 3))
        grad_bias, product = totals.unbind()
        terms = totals / (y_T.numel() // through.channels)
        terms = torch.stack([terms[0], terms[1] * rate * rate]) if ctx.of_batch else torch.zeros_like(terms)
        grad_y_T = found.x_T if residual_T is None else torch.empty_like(found.x_T)
        through(found.x_T, y_T, table, terms, grad_y_T)
        of_weight, of_bias = ctx.dtypes
        return (
            None,
            None,
            None,
            (product * rate).to(of_weight),
            grad_bias.to(of_bias),
            None if residual_T is None else found.x_T,
            grad_y_T,
            None,
            found.decay_tensor,
            None,
            found.learned_T,
        )


def _moments(y_T: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Returns mean and variance (divided by the count) of each channel, in float32."""
    folded = y_T.flatten(0, 1)
    if y_T.is_cuda:
        mean, rate = torch.batch_norm_stats(folded, eps)
        return mean, (rate**-2 - eps).clamp(min=0)
    var, mean = torch.var_mean(folded.float(), [0, *range(2, folded.ndim)], correction=0)
    return mean, var
