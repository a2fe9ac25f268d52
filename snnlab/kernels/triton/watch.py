"""The recurrence in Triton while somebody looks at the potentials before reset, such as the regulariser `pnb`.

They are written for the one who looks and dropped again; the backward pass has them written once more to differentiate
what was made of them. Shape suffixes: T time steps, `...` any further axes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Measure
from snnlab.kernels.eager import measured_gradient
from snnlab.kernels.triton.layout import dense_strides
from snnlab.kernels.triton.operators import Equations, backward, forward


class WatchedRecurrence(torch.autograd.Function):
    """`recurrence` of x_T, v, decay_tensor, levels_T and learned_T, with what `measure` returns for h_T [T, ...]."""

    @staticmethod
    def forward(
        ctx: Any,
        x_T: Tensor,
        v: Tensor,
        decay_tensor: Tensor | None,
        levels_T: Tensor | None,
        learned_T: Tensor | None,
        equations: Equations,
        keep_state: bool,
        measure: Measure,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        h_T = _potentials(x_T)
        spikes_T, state = forward(x_T, v, decay_tensor, levels_T, equations, keep_state, h_T=h_T)
        ctx.save_for_backward(x_T, v, decay_tensor, levels_T, learned_T)
        ctx.constants = equations, measure
        ctx.set_materialize_grads(False)
        return spikes_T, state, measure(h_T)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None, grad_measured: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x_T, v, decay_tensor, levels_T, learned_T = ctx.saved_tensors
        equations, measure = ctx.constants
        grad_h_T = None
        if grad_measured is not None:
            h_T = _potentials(x_T)
            forward(x_T, v, decay_tensor, levels_T, equations, False, h_T=h_T)
            grad_h_T = measured_gradient(measure, h_T, grad_measured)
        if grad_spikes_T is None:
            grad_spikes_T = x_T.new_zeros(()).expand(x_T.shape)
        inputs = (x_T, v, decay_tensor, levels_T, learned_T)
        wanted = ctx.needs_input_grad[1]
        grad_x_T, grad_v, grad_decay, grad_learned_T, _ = backward(
            grad_spikes_T, grad_state, *inputs, equations, wanted, grad_h_T=grad_h_T
        )
        return (
            grad_x_T,
            grad_v if wanted else None,
            None if decay_tensor is None else grad_decay,
            None,
            None if learned_T is None else grad_learned_T,
            None,
            None,
            None,
        )


def _potentials(x_T: Tensor) -> Tensor:
    return x_T.new_empty_strided(x_T.shape, dense_strides(x_T), dtype=torch.float32)
