"""The recurrence as PyTorch operators: `torch.ops.snnlab.recurrence` and its backward pass.

Their arguments are the fields of `Inputs` and `Equations`, from which the schemas are generated, and one more.
"""

from typing import Any, get_type_hints

import torch
from torch import Tensor

from snnlab.kernels.triton.launch import (
    Equations,
    Inputs,
    backward,
    empty_gradients,
    forward,
    in_order_of_inputs,
    or_zeros,
    outputs,
)

# The kernels take any strides, so a compiler need not change the layout of a tensor.
TAGS = (torch.Tag.flexible_layout,)

_SCHEMA_TYPES: dict[Any, str] = {
    Tensor: "Tensor",
    Tensor | None: "Tensor?",
    float: "float",
    bool: "bool",
    str: "str",
    list[int]: "int[]",
    list[float]: "float[]",
}

_CALL = ", ".join(
    f"{_SCHEMA_TYPES[hint]} {name}"
    for part in (Inputs, Equations)
    for name, hint in get_type_hints(part).items()
)


def _parts(arguments: tuple[Any, ...]) -> tuple[Inputs, Equations, bool]:
    tensors = len(Inputs._fields)
    return Inputs(*arguments[:tensors]), Equations(*arguments[tensors:-1]), arguments[-1]


@torch.library.custom_op(
    "snnlab::recurrence", mutates_args=(), schema=f"({_CALL}, bool keep_state) -> (Tensor, Tensor)", tags=TAGS
)
def recurrence(*arguments: Any) -> tuple[Tensor, Tensor]:
    """Calls `forward` with `Inputs`, `Equations` and keep_state."""
    return forward(*_parts(arguments))


@recurrence.register_fake
def _(*arguments: Any) -> tuple[Tensor, Tensor]:
    inputs, _, keep_state = _parts(arguments)
    return outputs(inputs.x_T, keep_state)


@torch.library.custom_op(
    "snnlab::recurrence_backward",
    mutates_args=(),
    schema=f"(Tensor grad_spikes_T, Tensor? grad_state, {_CALL}, bool keep_grad_v) -> (Tensor, Tensor, Tensor, Tensor)",
    tags=TAGS,
)
def recurrence_backward(
    grad_spikes_T: Tensor, grad_state: Tensor | None, *arguments: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Calls `backward` with both gradients, `Inputs`, `Equations` and keep_grad_v."""
    return backward(grad_spikes_T, grad_state, *_parts(arguments))[:4]


@recurrence_backward.register_fake
def _(
    grad_spikes_T: Tensor, grad_state: Tensor | None, *arguments: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    inputs, _, keep_grad_v = _parts(arguments)
    return empty_gradients(inputs, keep_grad_v)


def differentiate(
    grad_spikes_T: Tensor | None,
    grad_state: Tensor | None,
    inputs: Inputs,
    equations: Equations,
    keep_grad_v: bool,
) -> tuple[Tensor | None, ...]:
    """Returns the gradients of the fields of `Inputs`, computed by the operator; None for those without."""
    grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
    found = recurrence_backward(grad_spikes_T, grad_state, *inputs, *equations, keep_grad_v)
    return in_order_of_inputs(inputs, found, keep_grad_v)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    tensors, ctx.equations, _ = _parts(inputs)
    ctx.save_for_backward(*tensors)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None) -> tuple[Tensor | None, ...]:
    inputs, wanted = Inputs(*ctx.saved_tensors), ctx.needs_input_grad[1]
    gradients = differentiate(grad_spikes_T, grad_state, inputs, ctx.equations, wanted)
    return (*gradients, *(None for _ in (*Equations._fields, "keep_state")))


recurrence.register_autograd(_backward, setup_context=_setup_context)
