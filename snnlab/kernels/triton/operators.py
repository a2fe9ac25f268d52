"""The recurrence as PyTorch operators for torch.compile: `torch.ops.snnlab.recurrence` and its backward pass.

Without the compiler they would cost several times as much as the autograd function of `recurrence.py`.
Their arguments are the fields of `Inputs` and `Equations`, from which the schemas are generated, and one more.
"""

from typing import Any, get_type_hints

import torch
from torch import Tensor

from snnlab.kernels.triton.arguments import Equations, Inputs
from snnlab.kernels.triton.backward import Backward
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.layout import dense_strides, step_strides
from snnlab.kernels.triton.recurrence import or_zeros

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


def outputs(x_T: Tensor, keep_state: bool) -> tuple[Tensor, Tensor]:
    """Allocates spikes [T, ...] and the last potential [...] in x_T's order of axes; empty if not kept."""
    spikes_T = x_T.new_empty_strided(x_T.shape, dense_strides(x_T))
    state = None
    if keep_state:
        state = x_T.new_empty_strided(x_T.shape[1:], step_strides(x_T), dtype=torch.float32)
    return spikes_T, or_empty(state, x_T)


def or_empty(tensor: Tensor | None, x_T: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Returns the tensor; an empty one on x_T's device in place of None, which an operator cannot return."""
    return x_T.new_empty(0, dtype=dtype) if tensor is None else tensor


def _parts(arguments: tuple[Any, ...]) -> tuple[Inputs, Equations, bool]:
    tensors = len(Inputs._fields)
    return Inputs(*arguments[:tensors]), Equations(*arguments[tensors:-1]), arguments[-1]


@torch.library.custom_op(
    "snnlab::recurrence", mutates_args=(), schema=f"({_CALL}, bool keep_state) -> (Tensor, Tensor)", tags=TAGS
)
def recurrence(*arguments: Any) -> tuple[Tensor, Tensor]:
    """Runs `Forward` with `Inputs`, `Equations` and keep_state; without it, the last potential is empty."""
    inputs, equations, keep_state = _parts(arguments)
    spikes_T, state = Forward(inputs, equations, keep_state)(inputs)
    return spikes_T, or_empty(state, inputs.x_T)


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
    """Runs `Backward` with both gradients, `Inputs`, `Equations` and keep_grad_v; what is absent is empty."""
    inputs, equations, keep_grad_v = _parts(arguments)
    found = Backward(grad_spikes_T, grad_state, inputs, equations, keep_grad_v)(
        grad_spikes_T, grad_state, inputs
    )
    x_T = inputs.x_T
    assert found.x_T is not None
    return (
        found.x_T,
        or_empty(found.v, x_T),
        or_empty(found.decay_tensor, x_T, x_T.dtype),
        or_empty(found.learned_T, x_T, x_T.dtype),
    )


@recurrence_backward.register_fake
def _(
    grad_spikes_T: Tensor, grad_state: Tensor | None, *arguments: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    inputs, _, keep_grad_v = _parts(arguments)
    x_T = inputs.x_T
    grad_x_T, grad_v = outputs(x_T, keep_grad_v)
    grad_decay, grad_learned_T = (
        x_T.new_empty(0) if tensor is None else torch.empty_like(tensor)
        for tensor in (inputs.decay_tensor, inputs.learned_T)
    )
    return grad_x_T, grad_v, grad_decay, grad_learned_T


def differentiate(
    grad_spikes_T: Tensor | None,
    grad_state: Tensor | None,
    inputs: Inputs,
    equations: Equations,
    keep_grad_v: bool,
) -> tuple[Tensor | None, ...]:
    """Returns the gradients of the fields of `Inputs`, computed by the operator; None for those without."""
    grad_spikes_T = or_zeros(grad_spikes_T, inputs.x_T)
    grad_x_T, grad_v, grad_decay, grad_learned_T = recurrence_backward(
        grad_spikes_T, grad_state, *inputs, *equations, keep_grad_v
    )
    return (
        grad_x_T,
        grad_v if keep_grad_v else None,
        None if inputs.decay_tensor is None else grad_decay,
        None,
        None if inputs.learned_T is None else grad_learned_T,
    )


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    tensors, ctx.equations, _ = _parts(inputs)
    ctx.save_for_backward(*tensors)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, grad_spikes_T: Tensor | None, grad_state: Tensor | None) -> tuple[Tensor | None, ...]:
    inputs, wanted = Inputs(*ctx.saved_tensors), ctx.needs_input_grad[1]
    gradients = differentiate(grad_spikes_T, grad_state, inputs, ctx.equations, wanted)
    return (*gradients, *(None for _ in (*Equations._fields, "keep_state")))


recurrence.register_autograd(_backward, setup_context=_setup_context)
