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

from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, Norm
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.launch import Inputs, backward, forward, in_order_of_inputs, or_zeros, readable
from snnlab.kernels.triton.layout import channel_strides
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


def norm_and_neuron(call: Call, norm: Norm, residual_T: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the spikes [T, ...] for the normalised call.x_T plus a residual, and mean and variance [C].

    The variance is that of the batch, divided by the count. Calls with a state or a measure are not supported.
    """
    inputs, equations = triton_backend.arguments(call)
    spikes_T, mean, var = _NormNeuron.apply(norm.weight, norm.bias, residual_T, *inputs, equations, norm)
    return spikes_T, mean, var


class _NormNeuron(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, bias: Tensor, residual_T: Tensor | None, *arguments: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        *tensors, equations, norm = arguments
        inputs = Inputs(*tensors)
        y_T = inputs.x_T
        if norm.mean is None or norm.var is None:
            mean, var = _moments(y_T, norm.eps)
        else:
            mean, var = norm.mean.float(), norm.var.float()
        rate = (var + norm.eps).rsqrt()
        table = torch.stack([mean, weight.float() * rate, bias.float()])
        spikes_T, _ = forward(inputs, equations, False, table, residual_T)
        ctx.save_for_backward(table, rate, residual_T, *inputs)
        ctx.constants = equations, norm.mean is None
        ctx.dtypes = weight.dtype, bias.dtype
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)
        return spikes_T, mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor | None, *unused: None) -> tuple[Tensor | None, ...]:
        table, rate, residual_T, *tensors = ctx.saved_tensors
        inputs, (equations, of_batch) = Inputs(*tensors), ctx.constants
        y_T = inputs.x_T
        grad_spikes_T = or_zeros(grad_spikes_T, y_T)
        grad_x_T, grad_v, grad_decay, grad_learned_T, sums = backward(
            grad_spikes_T, None, inputs, equations, False, table, residual_T
        )
        inner, channels = channel_strides(y_T)
        totals = sums.view(2, -1, channels, inner).sum((1, 3))
        grad_bias, product = totals.unbind()
        terms = totals / (y_T.numel() // channels)
        terms = torch.stack([terms[0], terms[1] * rate * rate]) if of_batch else torch.zeros_like(terms)
        grad_y_T = grad_x_T if residual_T is None else torch.empty_like(grad_x_T)
        _back_through_norm(grad_x_T, y_T, table, terms, grad_y_T)
        of_weight, of_bias = ctx.dtypes
        return (
            (product * rate).to(of_weight),
            grad_bias.to(of_bias),
            None if residual_T is None else grad_x_T,
            *in_order_of_inputs(inputs, (grad_y_T, grad_v, grad_decay, grad_learned_T), False),
            None,
            None,
        )


def _moments(y_T: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Returns mean and variance (divided by the count) of each channel, in float32."""
    folded = y_T.flatten(0, 1)
    if y_T.is_cuda:
        mean, rate = torch.batch_norm_stats(folded, eps)
        return mean, (rate**-2 - eps).clamp(min=0)
    var, mean = torch.var_mean(folded.float(), [0, *range(2, folded.ndim)], correction=0)
    return mean, var


def _back_through_norm(grad_x_T: Tensor, y_T: Tensor, table: Tensor, terms: Tensor, out_T: Tensor) -> None:
    (y_T,), way = readable(y_T)
    count = y_T[0].numel()
    with torch.cuda.device_of(y_T):  # type: ignore[no-untyped-call]
        back_through_norm[(triton.cdiv(count, _BLOCK), len(y_T))](
            grad_x_T,
            y_T,
            table,
            terms,
            out_T,
            count,
            *way.inner_sizes(),
            y_T.stride(0),
            *way.strides_of(0),
            *channel_strides(y_T),
            RANK=len(way.sizes),
            BLOCK=_BLOCK,
            num_warps=4,
            enable_fp_fusion=False,
        )
