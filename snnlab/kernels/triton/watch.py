"""The recurrence in Triton while the potentials before reset are observed, for example by the regulariser `pnb`.

They are stored for the measurement and then freed; the backward pass recomputes them to differentiate it.
Shape suffixes: T time steps, `...` any further axes.
"""

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, KernelForm, Measure
from snnlab.kernels.eager import measured_gradient
from snnlab.kernels.triton.arguments import Equations, Inputs, inputs_of
from snnlab.kernels.triton.backward import Backward, Gradients
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.layout import dense_strides
from snnlab.kernels.triton.recurrence import layouts, or_zeros


class WatchedRecurrence:
    """`Recurrence` with a measurement of the potentials h_T [T, ...] as a further result."""

    def __init__(self, equations: Equations, keep_state: bool) -> None:
        self._equations = equations
        self._forward: dict[Hashable, Forward] = {}
        self._backward: dict[Hashable, Backward] = {}
        self.keep_state = keep_state

    def run(
        self, call: Call, form: KernelForm, learned_T: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        inputs = inputs_of(call, form, learned_T)
        spikes_T, state, measured = _Function.apply(self, call.measure, inputs, *inputs)
        return spikes_T, call.v if state is None else state, measured

    def forward(self, inputs: Inputs, keep_state: bool) -> tuple[Tensor, Tensor | None, Tensor]:
        """Returns spikes [T, ...], the last potential [...] and all potentials before reset [T, ...]."""
        x_T = inputs.x_T
        key = keep_state, x_T.stride(), x_T.dtype, x_T.device, inputs.v.stride()
        if (forward := self._forward.get(key)) is None:
            forward = self._forward[key] = Forward(inputs, self._equations, keep_state, keep_h=True)
        h_T = x_T.new_empty_strided(x_T.shape, dense_strides(x_T), dtype=torch.float32)
        return *forward(inputs, h_T=h_T), h_T

    def backward(
        self,
        grad_spikes_T: Tensor,
        grad_state: Tensor | None,
        inputs: Inputs,
        keep_grad_v: bool,
        grad_h_T: Tensor | None,
    ) -> Gradients:
        key = (
            layouts(grad_spikes_T, grad_state, inputs, keep_grad_v),
            None if grad_h_T is None else grad_h_T.stride(),
        )
        if (backward := self._backward.get(key)) is None:
            backward = self._backward[key] = Backward(
                grad_spikes_T, grad_state, inputs, self._equations, keep_grad_v, grad_h_T=grad_h_T
            )
        return backward(grad_spikes_T, grad_state, inputs, grad_h_T=grad_h_T)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, plan: WatchedRecurrence, measure: Measure, inputs: Inputs, *tensors: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        ctx.plan, ctx.measure = plan, measure
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        spikes_T, state, h_T = plan.forward(inputs, plan.keep_state)
        return spikes_T, state, measure(h_T)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None, grad_measured: Tensor | None
    ) -> tuple[Any, ...]:
        inputs, grad_h_T = Inputs(*ctx.saved_tensors), None
        if grad_measured is not None:
            h_T = ctx.plan.forward(inputs, False)[2]
            grad_h_T = measured_gradient(ctx.measure, h_T, grad_measured)
        grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
        found = ctx.plan.backward(grad_spikes_T, grad_state, inputs, ctx.needs_input_grad[4], grad_h_T)
        return None, None, None, found.x_T, found.v, found.decay_tensor, None, found.learned_T
