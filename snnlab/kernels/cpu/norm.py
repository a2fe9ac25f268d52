"""Batch normalisation fused with a neuron on the CPU: the convolution's output is read once and saved once.

    x[t, n] = y[t, n] scale[t, c] + shift[t, c] (+ residual[t, n])        c the channel of element n
    scale   = p_t weight / sqrt(var + eps),  shift = p_t (bias - mean weight / sqrt(var + eps))

The kernel takes scale and shift as inputs and returns their gradients. They are computed from mean, variance, weight,
bias and p in PyTorch, a few numbers for each channel, and differentiated by autograd. Shape suffixes: T time steps, C
channels, `...` any further axes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, Norm
from snnlab.kernels.cpu.arguments import Pointers, address
from snnlab.kernels.cpu.backend import Kernel, dense, kernel_of, like, scalar_gradients
from snnlab.kernels.cpu.source import CHUNKS
from snnlab.kernels.cpu.thresholds import forward


def norm_and_neuron(call: Call, norm: Norm, residual_T: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the spikes [T, ...] for the normalised call.x_T plus a residual, and mean and variance [C].

    The variance is that of the batch, divided by the count. Calls with a state or a measure are not supported.
    """
    learned = call.decay if isinstance(call.decay, Tensor) else None
    kernel = kernel_of(call, affine=True, residual=residual_T is not None, stepped=norm.p_T is not None)
    assert kernel.refusal is None
    y_T = dense(call.x_T)
    spikes_T, mean, var = _NormNeuron.apply(
        y_T,
        None if residual_T is None else like(residual_T, y_T),
        norm.weight,
        norm.bias,
        norm.p_T,
        learned,
        call,
        norm,
        kernel,
        *call.surrogate.parameters(),
    )
    return spikes_T, mean, var


def _tables(
    weight: Tensor, bias: Tensor, p_T: Tensor | None, mean: Tensor, var: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Returns scale and shift, [C] or with p_T [T, C]."""
    scale = weight * (var + eps).rsqrt()
    shift = bias - mean * scale
    return (scale, shift) if p_T is None else (p_T[:, None] * scale, p_T[:, None] * shift)


class _Layout:
    """The pointers of a call with channels; holds references to the tensors."""

    def __init__(
        self,
        y_T: Tensor,
        residual_T: Tensor | None,
        call: Call,
        scalars: list[Tensor],
        numbers: Tensor | None,
        tables: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        dtype = call.v.dtype
        channels = y_T.shape[2]
        more: dict[str, Any] = {
            "channels": channels,
            "inner": y_T.stride(2) if channels > 1 else y_T[0].numel(),
            "numbers": numbers,
        }
        if tables is not None:
            more |= {"scale": tables[0].to(dtype).contiguous(), "shift": tables[1].to(dtype).contiguous()}
        if residual_T is not None:
            more["residual"] = residual_T
        self._alive = more
        self.pointers = Pointers(y_T, call.v, call.start, scalars, **more)
        self.args = self.pointers.reference


def _moments(functions: Any, y_T: Tensor, call: Call) -> tuple[Tensor, Tensor]:
    """Returns mean and variance (divided by the count) of each channel, in float64."""
    center = y_T[0, 0].flatten(1)[:, 0] if y_T.dim() > 3 else y_T[0, 0]
    center = center.reshape(-1).to(call.v.dtype).contiguous()
    sums = torch.zeros(CHUNKS, 2, len(center), dtype=torch.float64)
    functions.moments(_Layout(y_T, None, call, [], None).args, address(center), address(sums))
    first, second = sums.sum(0) / (y_T.numel() // len(center))
    return center + first, second - first**2


class _NormNeuron(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        y_T: Tensor,
        residual_T: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        p_T: Tensor | None,
        learned: Tensor | None,
        call: Call,
        norm: Norm,
        kernel: Kernel,
        *parameters: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        functions = kernel.functions
        if norm.mean is None or norm.var is None:
            mean, var = _moments(functions, y_T, call)
        else:
            mean, var = norm.mean.double(), norm.var.double()
        tables = _tables(
            weight.double(), bias.double(), p_T if p_T is None else p_T.double(), mean, var, norm.eps
        )
        scalars = [*([] if learned is None else [learned]), *parameters]
        spikes_T = torch.empty_like(y_T)
        layout = _Layout(y_T, residual_T, call, scalars, kernel.numbers, tables)
        threshold_width_T = forward(functions, layout.pointers, call, spikes_T, None, None)
        ctx.save_for_backward(
            y_T, residual_T, weight, bias, p_T, learned, mean, var, threshold_width_T, *parameters
        )
        # Without the call's input, which is y_T and would be kept alive beside the saved one.
        ctx.constants = (
            call.v,
            call.start,
            call.dynamics,
            call.surrogate,
            norm.eps,
            norm.mean is None,
            kernel,
        )
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)
        return spikes_T, mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor | None, *_: Tensor | None) -> tuple[Tensor | None, ...]:
        y_T, residual_T, weight, bias, p_T, learned, mean, var, threshold_width_T, *parameters = (
            ctx.saved_tensors
        )
        v, start, dynamics, surrogate, eps, of_batch, kernel = ctx.constants
        call = Call(y_T, v, 0.0, dynamics, surrogate, start)
        scalars = [*([] if learned is None else [learned]), *parameters]
        leaves = [tensor.detach().double().requires_grad_() for tensor in (weight, bias, mean, var)]
        steps = None if p_T is None else p_T.detach().double().requires_grad_()
        with torch.enable_grad():
            tables = _tables(leaves[0], leaves[1], steps, leaves[2], leaves[3], eps)
        layout = _Layout(
            y_T, residual_T, call, scalars, kernel.numbers, (tables[0].detach(), tables[1].detach())
        )
        layout.pointers.set_threshold_width(threshold_width_T)
        steps_T, channels = len(y_T), y_T.shape[2]
        rows = 1 if p_T is None else steps_T
        sums = torch.zeros(CHUNKS, steps_T * len(scalars) + 2 * rows * channels, dtype=torch.float64)
        grad_spikes_T = (
            torch.zeros_like(y_T) if grad_spikes_T is None else like(grad_spikes_T.to(y_T.dtype), y_T)
        )
        grad_x_T = torch.empty_like(y_T)
        kernel.functions.backward(
            layout.args,
            address(grad_spikes_T),
            address(None),
            address(None),
            address(grad_x_T),
            address(None),
            address(sums),
        )
        total = sums.sum(0)
        own, of_tables = (
            total[: steps_T * len(scalars)],
            total[steps_T * len(scalars) :].view(rows, 2, channels),
        )
        grad_tables = [of_tables[:, 1 - k].view_as(table) for k, table in enumerate(tables)]
        inputs = [*leaves, *([] if steps is None else [steps])]
        grads = torch.autograd.grad(tables, inputs, grad_tables, allow_unused=True, materialize_grads=True)
        grad_mean, grad_var = (
            (grads[2], grads[3]) if of_batch else (torch.zeros_like(mean), torch.zeros_like(var))
        )
        count = y_T.numel() // channels
        slope = 2 * grad_var / count
        offset = grad_mean / count - slope * mean
        slope, offset = slope.to(v.dtype), offset.to(v.dtype)
        grad_y_T = grad_x_T if residual_T is None else torch.empty_like(y_T)
        kernel.functions.through_norm(
            layout.args, address(grad_x_T), address(offset), address(slope), address(grad_y_T)
        )
        of_scalars = scalar_gradients(
            kernel.program, own.view(steps_T, len(scalars)), start, learned, parameters
        )
        return (
            grad_y_T,
            None if residual_T is None else grad_x_T,
            grads[0].to(weight.dtype),
            grads[1].to(bias.dtype),
            None if p_T is None else grads[4].to(p_T.dtype),
            of_scalars[0],
            None,
            None,
            None,
            *of_scalars[1:],
        )
