"""The recurrence as an autograd function, with what is worked out once for all calls of one layout.

Shape suffixes: T time steps, `...` any further axes.
"""

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.kernels.contract import Call, KernelForm
from snnlab.kernels.triton.arguments import Equations, Inputs, inputs_of
from snnlab.kernels.triton.backward import Backward, Gradients
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.launcher import compiled_together
from snnlab.triton_language import INTERPRETED


class Recurrence:
    """Runs the calls that share a key of `backend.key_of`; built from the first of them.

    Args:
        equations: the constants of the calls.
        keep_state: whether the last potential is needed.
    """

    def __init__(self, equations: Equations, keep_state: bool) -> None:
        self._equations = equations
        self._keep_state = keep_state
        self._forward: Forward | None = None
        self._backward: dict[Hashable, Backward] = {}

    def run(
        self, call: Call, form: KernelForm, learned_T: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Returns the results of `integrate_and_fire`.

        Args:
            call: the call.
            form: the equations of the call.
            learned_T: learned parameters of the surrogate for all its time steps.
        """
        inputs = inputs_of(call, form, learned_T)
        learns = torch.is_grad_enabled() and needs_gradient(inputs)
        if self._forward is None and not INTERPRETED:
            self._compile(inputs, learns)
        if learns:
            spikes_T, state = _Function.apply(self, inputs, *inputs)
        else:
            spikes_T, state = self.forward(inputs)
        # Without keep_state the caller looks at no state, so any will do.
        return spikes_T, call.v if state is None else state, None

    def _compile(self, inputs: Inputs, learns: bool) -> None:
        """Compiles the kernels of a call together; the backward pass's for gradients laid out like the spikes."""
        with compiled_together(), torch.no_grad():
            spikes_T, state = self.forward(inputs)
            if learns:
                self.backward(spikes_T, state, inputs, inputs.v.requires_grad)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor | None]:
        """Returns spikes [T, ...] and the last potential [...]."""
        if self._forward is None:
            self._forward = Forward(inputs, self._equations, self._keep_state)
        return self._forward(inputs)

    def backward(
        self, grad_spikes_T: Tensor, grad_state: Tensor | None, inputs: Inputs, keep_grad_v: bool
    ) -> Gradients:
        """Returns the gradients of the inputs; the arguments are those of `Backward`."""
        key = layouts(grad_spikes_T, grad_state, inputs, keep_grad_v)
        if (backward := self._backward.get(key)) is None:
            backward = Backward(grad_spikes_T, grad_state, inputs, self._equations, keep_grad_v)
            self._backward[key] = backward
        return backward(grad_spikes_T, grad_state, inputs)


def layouts(grad_spikes_T: Tensor, grad_state: Tensor | None, inputs: Inputs, keep_grad_v: bool) -> Hashable:
    """Returns what the backward pass of a layer depends on besides its equations and the shape of its input.

    The inputs are looked at again, since hooks on saved tensors may have laid them out anew.
    """
    x_T, v = inputs[:2]
    return (
        grad_spikes_T.stride(),
        None if grad_state is None else grad_state.stride(),
        x_T.stride(),
        x_T.dtype,
        x_T.device,
        v.stride(),
        keep_grad_v,
    )


def or_zeros(grad_spikes_T: Tensor | None, x_T: Tensor) -> Tensor:
    """Returns the gradient of the spikes, zero if it is None."""
    return x_T.new_zeros(()).expand(x_T.shape) if grad_spikes_T is None else grad_spikes_T


def needs_gradient(inputs: Inputs) -> bool:
    """Returns whether anything is to be differentiated with respect to one of the inputs."""
    x_T, v, decay_tensor, _, learned_T = inputs
    return (
        x_T.requires_grad
        or v.requires_grad
        or (decay_tensor is not None and decay_tensor.requires_grad)
        or (learned_T is not None and learned_T.requires_grad)
    )


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, plan: Recurrence, inputs: Inputs, *tensors: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        ctx.plan = plan
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return plan.forward(inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None) -> tuple[Any, ...]:
        inputs = Inputs(*ctx.saved_tensors)
        grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
        found: Gradients = ctx.plan.backward(grad_spikes_T, grad_state, inputs, ctx.needs_input_grad[3])
        return None, None, found.x_T, found.v, found.decay_tensor, None, found.learned_T
