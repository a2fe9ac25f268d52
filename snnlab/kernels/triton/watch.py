"""The recurrence in Triton while the potentials before reset are observed, for example by the regulariser `pnb`.

They are stored for the measurement and then freed; the backward pass recomputes them to differentiate it.
Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.eager import measured_gradient
from snnlab.kernels.triton.launch import Inputs, backward, forward, in_order_of_inputs, or_zeros
from snnlab.kernels.triton.layout import dense_strides


class WatchedRecurrence(torch.autograd.Function):
    """`recurrence` with a `Measure` of h_T [T, ...] as a further argument, whose value is the last result."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        *tensors, equations, keep_state, measure = arguments
        inputs = Inputs(*tensors)
        h_T = _potentials(inputs.x_T)
        spikes_T, state = forward(inputs, equations, keep_state, h_T=h_T)
        ctx.save_for_backward(*inputs)
        ctx.constants = equations, measure
        ctx.set_materialize_grads(False)
        return spikes_T, state, measure(h_T)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None, grad_measured: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        inputs, (equations, measure) = Inputs(*ctx.saved_tensors), ctx.constants
        grad_h_T = None
        if grad_measured is not None:
            h_T = _potentials(inputs.x_T)
            forward(inputs, equations, False, h_T=h_T)
            grad_h_T = measured_gradient(measure, h_T, grad_measured)
        grad_spikes_T, wanted = or_zeros(grad_spikes_T, inputs.x_T), ctx.needs_input_grad[1]
        found = backward(grad_spikes_T, grad_state, inputs, equations, wanted, grad_h_T=grad_h_T)
        return *in_order_of_inputs(inputs, found[:4], wanted), None, None, None


def _potentials(x_T: Tensor) -> Tensor:
    return x_T.new_empty_strided(x_T.shape, dense_strides(x_T), dtype=torch.float32)
